#include "cmd/http/server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "sql/error.h"

namespace pgsluice {

namespace {

constexpr int answering_threads = 3;
constexpr int patience_s = 2;
constexpr std::size_t longest_request = 4096;

// The library's own choice, SO_REUSEPORT, would let two processes share a port, each getting some of the requests.
void only_for_us(socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

[[noreturn]] void refused(const ListenAddress& address, int error) {
    throw stop_error(fmt::format("unable to listen on '{}': {}", to_string(address),
                                 error == 0 ? "the address is not one of this machine" : std::strerror(error)),
                     "Give another address or port with --http-listen.");
}

void answer(const std::function<HttpAnswer()>& route, httplib::Response& response) {
    HttpAnswer found;
    try {
        found = route();
    } catch (const std::exception& error) {  // a scrape that fails ends neither the server nor the process
        found = {500, "text/plain; charset=utf-8", fmt::format("{}\n", error.what())};
    }
    response.status = found.status;
    response.set_content(found.body, found.type.c_str());
}

}  // namespace

struct HttpServer::State {
    httplib::Server server;
    HttpRoutes routes;
    std::thread thread;
};

HttpServer::HttpServer(const ListenAddress& address, HttpRoutes routes, const Log& log)
    : state_(std::make_unique<State>()) {
    httplib::Server& server = state_->server;
    state_->routes = std::move(routes);
    server.new_task_queue = [] { return new httplib::ThreadPool(answering_threads); };
    server.set_socket_options(only_for_us);
    server.set_keep_alive_max_count(1);
    server.set_read_timeout(patience_s);
    server.set_write_timeout(patience_s);
    server.set_payload_max_length(longest_request);
    for (const auto& [path, route] : state_->routes)
        server.Get(path,
                   [&made = route](const httplib::Request&, httplib::Response& response) { answer(made, response); });
    errno = 0;
    ListenAddress bound = address;
    if (address.port == 0) bound.port = server.bind_to_any_port(address.host);
    if (address.port == 0 ? bound.port < 0 : !server.bind_to_port(address.host, address.port)) refused(address, errno);
    state_->thread = std::thread([this] { state_->server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();  // before that, stop() does nothing
    log(LogLevel::info, fmt::format("serving metrics and health at http://{}", to_string(bound)));
}

HttpServer::~HttpServer() {
    state_->server.stop();
    state_->thread.join();
}

}  // namespace pgsluice
