#include "cmd/http/server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "cmd/http/tls_server.h"
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

// Before the request's body is read.
httplib::Server::HandlerResponse ask_for_token(const HttpAccess& access, const httplib::Request& request,
                                               httplib::Response& response) {
    using Answer = httplib::Server::HandlerResponse;
    if (is_open(request.path) || access.permits(request.get_header_value("Authorization"))) return Answer::Unhandled;
    response.status = 401;
    response.set_header("WWW-Authenticate", "Bearer");
    response.set_content("a token is needed: Authorization: Bearer TOKEN\n", "text/plain; charset=utf-8");
    return Answer::Handled;
}

std::unique_ptr<httplib::Server> make_server(const HttpOptions& options) {
    return options.cert_file.empty() ? std::make_unique<httplib::Server>() : tls_server(options);
}

void tell(const ListenAddress& bound, const HttpOptions& options, const Log& log) {
    const std::string url = fmt::format("{}://{}", options.cert_file.empty() ? "http" : "https", to_string(bound));
    log(LogLevel::info, "serving metrics and health at " + url);
    if (!options.token.empty() || is_loopback(bound)) return;
    log(LogLevel::warning, fmt::format("whoever can reach {} sees names of tables and texts of errors; "
                                       "--http-token-file asks for a token",
                                       url));
}

}  // namespace

struct HttpServer::State {
    explicit State(const HttpOptions& options) : server(make_server(options)), access(options.token) {}

    std::unique_ptr<httplib::Server> server;
    HttpAccess access;
    HttpRoutes routes;
    std::thread thread;
};

HttpServer::HttpServer(const ListenAddress& address, const HttpOptions& options, HttpRoutes routes, const Log& log)
    : state_(std::make_unique<State>(options)) {
    httplib::Server& server = *state_->server;
    state_->routes = std::move(routes);
    server.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
        return ask_for_token(state_->access, request, response);
    });
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
    state_->thread = std::thread([this] { state_->server->listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();  // before that, stop() does nothing
    tell(bound, options, log);
}

HttpServer::~HttpServer() {
    state_->server->stop();
    state_->thread.join();
}

}  // namespace pgsluice
