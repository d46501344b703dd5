#include "cmd/http/request_host.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <string>

namespace pgsluice {

namespace {

// "[::1]:9187": "::1".
std::string without_port(std::string_view host) {
    const bool brackets = host.starts_with('[');
    if (brackets) host.remove_prefix(1);
    std::string name(host.substr(0, host.find(brackets ? ']' : ':')));
    std::ranges::transform(name, name.begin(), [](unsigned char letter) { return std::tolower(letter); });
    return name;
}

bool is_loopback_address(const std::string& text) {
    in_addr four{};
    in6_addr six{};
    if (::inet_pton(AF_INET, text.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
    return ::inet_pton(AF_INET6, text.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

}  // namespace

bool names_this_machine(std::string_view host, const ListenAddress& listens) {
    if (host.empty()) return true;
    const std::string name = without_port(host);
    return name == "localhost" || name == listens.host || is_loopback_address(name);
}

}  // namespace pgsluice
