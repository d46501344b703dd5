// The files of assets/, compiled into the program by embed.cmake.
#pragma once

#include <span>
#include <string_view>

namespace pgsluice {

struct Asset {
    std::string_view name;  // "page.css"
    std::string_view text;
};

std::span<const Asset> assets();

}  // namespace pgsluice
