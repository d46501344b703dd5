// What a KV key holds, where a garbled one is the same as none: it is lost, or written again.
#pragma once

#include <optional>
#include <string_view>

#include "sql/error.h"

namespace pgsluice {

template <typename T>
std::optional<T> readable(T (*decode)(std::string_view), std::string_view text) {
    try {
        return decode(text);
    } catch (const Error& error) {
        if (error.action() != Action::stop) throw;
        return std::nullopt;
    }
}

}  // namespace pgsluice
