#include "rules/values/printed_form.h"

#include <arpa/inet.h>

#include <array>
#include <string>

#include "rules/place.h"

namespace pgsluice::rules {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_hex(std::string_view text) { return text.find_first_not_of(hex_digits) == std::string_view::npos; }

void check_bytea(std::string_view text) {
    if (!text.starts_with("\\x") || text.size() % 2 != 0 || !is_hex(text.substr(2)))
        throw Unreadable{"it is not bytea in hex form (\\x0123...), in small letters"};
}

// 08:00:2b:01:02:03; macaddr8 has two more.
void check_mac(std::string_view text, std::size_t bytes) {
    bool fits = text.size() == bytes * 3 - 1;
    for (std::size_t i = 0; fits && i < text.size(); ++i)
        fits = i % 3 == 2 ? text[i] == ':' : is_hex(text.substr(i, 1));
    if (!fits) throw Unreadable{"it is not an address as PostgreSQL prints it (08:00:2b:01:02:03), in small letters"};
}

bool is_address_as_printed(const std::string& address) {
    const int family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
    std::array<unsigned char, 16> bytes{};
    std::array<char, INET6_ADDRSTRLEN> printed{};
    return inet_pton(family, address.c_str(), bytes.data()) == 1 &&
           inet_ntop(family, bytes.data(), printed.data(), printed.size()) != nullptr && address == printed.data();
}

// An inet shows no mask that says nothing, a cidr always its mask.
void check_network(std::string_view text, bool always_masked) {
    const std::size_t slash = text.find('/');
    const std::string address(text.substr(0, slash));
    const std::string_view mask = slash == std::string_view::npos ? std::string_view{} : text.substr(slash + 1);
    const bool whole = mask == (address.find(':') == std::string::npos ? "32" : "128");
    const bool masked = !mask.empty() && mask.size() <= 3 && mask.find_first_not_of("0123456789") == std::string::npos;
    const bool mask_fits = always_masked ? masked : slash == std::string_view::npos || (masked && !whole);
    if (!mask_fits || !is_address_as_printed(address))
        throw Unreadable{always_masked ? "it is not a network as PostgreSQL prints it (10.0.0.0/8)"
                                       : "it is not an address as PostgreSQL prints it (10.0.0.1, 10.0.0.1/8)"};
}

}  // namespace

void check_printed_form(std::string_view text, const Column& column) {
    switch (column.element_oid != 0 ? 0 : column.base_oid != 0 ? column.base_oid : column.type_oid) {
        case 17:
            return check_bytea(text);
        case 829:
            return check_mac(text, 6);
        case 774:
            return check_mac(text, 8);
        case 869:
            return check_network(text, false);
        case 650:
            return check_network(text, true);
        default:
            return;
    }
}

}  // namespace pgsluice::rules
