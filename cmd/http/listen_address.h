// Where --http-listen listens: "127.0.0.1:9187", "[::1]:9187", "metrics.internal:9187"; ":9187" is all addresses, port
// 0 any free port.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice {

struct ListenAddress {
    std::string host;
    int port = 0;

    bool operator==(const ListenAddress&) const = default;
};

// std::invalid_argument that says what is expected.
ListenAddress parse_listen_address(std::string_view text);
// Whether only this machine can reach it, as far as the text says.
bool is_loopback(const ListenAddress& address);
// "127.0.0.1:9187", "[::1]:9187".
std::string to_string(const ListenAddress& address);

}  // namespace pgsluice
