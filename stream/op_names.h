// What operations are called in metrics, subjects and texts for people.
#pragma once

#include <array>
#include <cstddef>

#include "stream/change.h"

namespace pgsluice {

// Of changes, in order of Op.
inline constexpr std::array<const char*, 4> op_names{"insert", "update", "delete", "truncate"};

constexpr const char* op_name(Op op) noexcept {
    return op == Op::message ? "message" : op_names.at(static_cast<std::size_t>(op));
}

}  // namespace pgsluice
