#include "tests/support/http_receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace pgsluice::test {

namespace {

bool send_all(int socket, std::string_view text) {
    while (!text.empty()) {
        const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

// Reads on until `text` holds `size` bytes; false when the other end has closed.
bool read_until(int socket, std::string& text, std::size_t size) {
    char piece[65536];
    while (text.size() < size) {
        const ssize_t got = ::recv(socket, piece, sizeof piece, 0);
        if (got <= 0) return false;
        text.append(piece, static_cast<std::size_t>(got));
    }
    return true;
}

std::map<std::string, std::string> parse_headers(const std::string& head) {
    std::map<std::string, std::string> headers;
    std::size_t at = head.find("\r\n") + 2;
    while (at < head.size()) {
        const std::size_t end = std::min(head.find("\r\n", at), head.size());
        const std::size_t colon = head.find(':', at);
        std::string name = head.substr(at, colon - at);
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        headers[name] = head.substr(colon + 2, end - colon - 2);
        at = end + 2;
    }
    return headers;
}

}  // namespace

HttpReceiver::HttpReceiver(Handler handler, int port, bool keeps) : handler_(std::move(handler)), keeps_(keeps) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
        throw std::runtime_error("unable to listen");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
}

HttpReceiver::~HttpReceiver() {
    closing_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();  // it alone adds connections
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    for (std::thread& thread : servers_) thread.join();
    for (const int socket : sockets_) ::close(socket);
    ::close(listener_);
}

std::vector<HttpRequest> HttpReceiver::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

void HttpReceiver::accept_all() {
    for (std::uint64_t number = 1; !closing_; ++number) {
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) return;
        sockets_.push_back(socket);
        servers_.emplace_back([this, socket, number] { serve(socket, number); });
    }
}

void HttpReceiver::serve(int socket, std::uint64_t number) {
    std::string text;
    for (;;) {
        std::size_t head_end;
        while ((head_end = text.find("\r\n\r\n")) == std::string::npos) {
            if (!read_until(socket, text, text.size() + 1)) return;
        }
        HttpRequest request;
        request.connection = number;
        request.headers = parse_headers(text.substr(0, head_end));
        const auto length = static_cast<std::size_t>(std::atoll(request.headers["content-length"].c_str()));
        if (!read_until(socket, text, head_end + 4 + length)) return;
        request.body = text.substr(head_end + 4, length);
        text.erase(0, head_end + 4 + length);

        HttpReply reply;
        {
            const std::lock_guard lock(mutex_);
            if (keeps_) requests_.push_back(request);
            reply = handler_(request);
        }
        answer(socket, reply);
        if (reply.manner != HttpReply::Manner::whole) return;
    }
}

void HttpReceiver::answer(int socket, const HttpReply& reply) const {
    using Manner = HttpReply::Manner;
    if (reply.manner == Manner::drip) {
        send_all(socket, "HTTP/1.1 200 OK\r\nX-Slow: ");
        while (!closing_ && send_all(socket, "x")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return;
    }
    if (reply.manner == Manner::endless) {
        send_all(socket, "HTTP/1.1 " + std::to_string(reply.status) + " Status\r\nContent-Length: 1000000\r\n\r\n");
        while (!closing_ && send_all(socket, "x")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return;
    }
    if (reply.manner == Manner::garbage) {
        send_all(socket, "220 this is no HTTP\r\n");
    } else if (reply.manner != Manner::hang_up) {
        const std::size_t announced = reply.body.size() + (reply.manner == Manner::close_in_body ? 100 : 0);
        std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " Status\r\n";
        for (const std::string& header : reply.headers) text += header + "\r\n";
        text += "Content-Length: " + std::to_string(announced) + "\r\n\r\n" + reply.body;
        send_all(socket, text);
    }
    if (reply.manner != Manner::whole) ::shutdown(socket, SHUT_RDWR);
}

}  // namespace pgsluice::test
