#include "cmd/http/server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>
#include <thread>
#include <utility>

#include "cmd/http/access.h"
#include "cmd/http/request_host.h"
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

void answer(const HttpRoute& route, const httplib::Request& request, httplib::Response& response) {
    HttpAnswer found;
    try {
        found = route(request.params);
    } catch (const std::exception& error) {  // a scrape that fails ends neither the server nor the process
        found = plain(500, fmt::format("{}\n", error.what()));
    }
    response.status = found.status;
    response.set_content(found.body, found.type.c_str());
}

bool permits(const HttpAccess& access, const httplib::Request& request) {
    return access.permits(request.get_header_value("Authorization")) ||
           access.permits_cookie(request.get_header_value("Cookie"), std::time(nullptr));
}

void redirect(httplib::Response& response, const char* relative) {
    response.status = 303;
    response.set_header("Location", relative);
}

// Before the request's body is read.
httplib::Server::HandlerResponse ask_for_token(const HttpAccess& access, const httplib::Request& request,
                                               httplib::Response& response) {
    using Answer = httplib::Server::HandlerResponse;
    if (is_open(request.path) || permits(access, request)) return Answer::Unhandled;
    if (request.path == "/") {
        redirect(response, "login");
        return Answer::Handled;
    }
    response.status = 401;
    response.set_header("WWW-Authenticate", "Bearer");
    response.set_content("a token is needed: Authorization: Bearer TOKEN\n", "text/plain; charset=utf-8");
    return Answer::Handled;
}

httplib::Server::HandlerResponse refuse_host(httplib::Response& response) {
    response.status = 421;
    response.set_content(
        "this address is for this machine: ask for it as localhost or 127.0.0.1, or give --http-token-file\n",
        "text/plain; charset=utf-8");
    return httplib::Server::HandlerResponse::Handled;
}

// A cookie that no script sees and no other site's page sends.
std::string cookie(const std::string& name, const std::string& value, std::int64_t seconds, bool tls) {
    return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", name, value, seconds,
                       tls ? "; Secure" : "");
}

void answer_forms(httplib::Server& server, const HttpAccess& access, bool tls) {
    server.Post("/login", [&access, tls](const httplib::Request& request, httplib::Response& response) {
        const auto session = access.log_in(request.get_param_value("token"), std::time(nullptr));
        if (!session) return redirect(response, "login#wrong");
        response.set_header("Set-Cookie", cookie(access.cookie_name(), *session, HttpAccess::session_s, tls));
        redirect(response, "./");
    });
    server.Post("/logout", [&access, tls](const httplib::Request&, httplib::Response& response) {
        response.set_header("Set-Cookie", cookie(access.cookie_name(), "", 0, tls));
        redirect(response, "login");
    });
}

// Pages may use what this server serves and nothing else, and no other site may frame them.
const httplib::Headers strict{
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
     "'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-store"},
};

std::unique_ptr<httplib::Server> make_server(const HttpOptions& options) {
    return options.cert_file.empty() ? std::make_unique<httplib::Server>() : tls_server(options);
}

void tell(const ListenAddress& bound, const HttpOptions& options, const Log& log) {
    const std::string url = fmt::format("{}://{}", options.cert_file.empty() ? "http" : "https", to_string(bound));
    log(LogLevel::info, "serving over HTTP at " + url);
    if (!options.token.empty() || is_loopback(bound)) return;
    log(LogLevel::warning, fmt::format("whoever can reach {} sees names of tables and texts of errors; "
                                       "--http-token-file asks for a token",
                                       url));
}

}  // namespace

struct HttpServer::State {
    explicit State(const HttpOptions& options) : server(make_server(options)) {}

    std::unique_ptr<httplib::Server> server;
    std::optional<HttpAccess> access;  // once the port is known
    HttpRoutes routes;
    std::thread thread;
};

HttpServer::HttpServer(const ListenAddress& address, const HttpOptions& options, HttpRoutes routes, const Log& log)
    : state_(std::make_unique<State>(options)) {
    httplib::Server& server = *state_->server;
    state_->routes = std::move(routes);
    server.new_task_queue = [] { return new httplib::ThreadPool(answering_threads); };
    server.set_socket_options(only_for_us);
    server.set_keep_alive_max_count(1);
    server.set_read_timeout(patience_s);
    server.set_write_timeout(patience_s);
    server.set_payload_max_length(longest_request);
    for (const auto& [path, route] : state_->routes)
        server.Get(path, [&made = route](const httplib::Request& request, httplib::Response& response) {
            answer(made, request, response);
        });
    errno = 0;
    ListenAddress bound = address;
    if (address.port == 0) bound.port = server.bind_to_any_port(address.host);
    if (address.port == 0 ? bound.port < 0 : !server.bind_to_port(address.host, address.port)) refused(address, errno);
    const HttpAccess& access = state_->access.emplace(options.token, fmt::format("pgsluice_{}", bound.port));
    const bool only_here = options.token.empty() && is_loopback(bound);
    server.set_pre_routing_handler(
        [&access, only_here, bound](const httplib::Request& request, httplib::Response& response) {
            if (only_here && !names_this_machine(request.get_header_value("Host"), bound)) return refuse_host(response);
            return ask_for_token(access, request, response);
        });
    server.set_default_headers(strict);
    answer_forms(server, access, !options.cert_file.empty());
    state_->thread = std::thread([this] { state_->server->listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();  // before that, stop() does nothing
    tell(bound, options, log);
}

HttpServer::~HttpServer() {
    state_->server->stop();
    state_->thread.join();
}

}  // namespace pgsluice
