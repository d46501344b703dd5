#pragma once

#include <cstddef>

#include "stream/change.h"

namespace pgsluice {

// Of the values' text.
inline std::size_t row_bytes(Row row) noexcept {
    std::size_t bytes = 0;
    for (const Value& value : row) bytes += value.text().size();
    return bytes;
}

}  // namespace pgsluice
