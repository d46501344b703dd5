#include "stream/nats/server_version.h"

#include <nats/nats.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

namespace pgsluice::nats {

namespace {

constexpr int step_ms = 1000;
constexpr std::size_t longest_info = 64UL * 1024;

class Socket {
   public:
    explicit Socket(int fd) noexcept : fd_(fd) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] bool wait(short events) const {
        pollfd poll{fd_, events, 0};
        return ::poll(&poll, 1, step_ms) == 1;
    }

   private:
    int fd_;
};

std::string read_line(const addrinfo& address) {
    const Socket socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket.fd() < 0) return {};
    // "In progress" is not an error; the first read shows whether it failed.
    static_cast<void>(::connect(socket.fd(), address.ai_addr, address.ai_addrlen));
    if (!socket.wait(POLLOUT)) return {};
    std::string line;
    std::array<char, 4096> buffer{};
    while (line.find('\n') == std::string::npos && line.size() < longest_info && socket.wait(POLLIN)) {
        const auto got = ::recv(socket.fd(), buffer.data(), buffer.size(), 0);
        if (got <= 0) break;
        line.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return line;
}

}  // namespace

std::string text_in_info(std::string_view line, std::string_view field) {
    const std::string begin = "\"" + std::string(field) + "\":\"";
    const auto at = line.find(begin);
    if (!line.starts_with("INFO") || at == std::string_view::npos) return {};
    const auto rest = line.substr(at + begin.size());
    return std::string(rest.substr(0, rest.find('"')));
}

std::string version_in_info(std::string_view line) { return text_in_info(line, "version"); }

bool is_before(std::string_view version, const std::array<int, 3>& other) {
    std::array<int, 3> numbers{};
    for (auto& number : numbers) {
        const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number);
        if (error != std::errc{}) return false;
        version.remove_prefix(std::min(version.size(), static_cast<std::size_t>(end - version.data()) + 1));
    }
    return numbers < other;
}

std::string ask_server_info(natsConnection* connection) {
    std::array<char, 1024> url{};
    if (natsConnection_GetConnectedUrl(connection, url.data(), url.size()) != NATS_OK) return {};
    std::string_view rest = url.data();
    if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) rest.remove_prefix(scheme + 3);
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
    const auto colon = rest.rfind(':');
    if (colon == std::string_view::npos) return {};
    std::string host(rest.substr(0, colon));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const std::string port(rest.substr(colon + 1));
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return {};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
    return read_line(*found);
}

std::string ask_server_version(natsConnection* connection) { return version_in_info(ask_server_info(connection)); }

}  // namespace pgsluice::nats
