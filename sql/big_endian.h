// Integers in network byte order, as PostgreSQL's protocol and its binary formats have them.
#pragma once

#include <concepts>
#include <string>

namespace pgsluice {

template <std::unsigned_integral Number>
void append_big_endian(std::string& out, Number number) {
    for (int shift = 8 * (static_cast<int>(sizeof number) - 1); shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(number >> shift));
}

}  // namespace pgsluice
