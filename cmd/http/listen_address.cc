#include "cmd/http/listen_address.h"

#include <charconv>
#include <stdexcept>

namespace pgsluice {

namespace {

[[noreturn]] void refuse() {
    throw std::invalid_argument("expected an address and a port such as 127.0.0.1:9187, or :9187 for all addresses");
}

int parse_port(std::string_view text) {
    int port = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port < 0 || port > 65535) refuse();
    return port;
}

}  // namespace

ListenAddress parse_listen_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) refuse();
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        if (host.find(':') == std::string_view::npos) refuse();
    } else if (host.find_first_of(":[]/ ") != std::string_view::npos) {
        refuse();
    }
    return {host.empty() ? "0.0.0.0" : std::string(host), parse_port(text.substr(colon + 1))};
}

bool is_loopback(const ListenAddress& address) {
    return address.host.starts_with("127.") || address.host == "::1" || address.host == "localhost";
}

std::string to_string(const ListenAddress& address) {
    const bool brackets = address.host.find(':') != std::string::npos;
    return (brackets ? '[' + address.host + ']' : address.host) + ':' + std::to_string(address.port);
}

}  // namespace pgsluice
