// Arrays of texts as PostgreSQL parameters: the text form, and the binary form that needs no escaping.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stream/change.h"

namespace pgsluice {

// {"a","b"}: manual, section 8.15.6 "Array Input and Output Syntax".
std::string text_array(std::span<const std::string> elements);
std::string nullable_text_array(std::span<const std::optional<std::string_view>> elements);

// Builds text[] in binary: dimensions, flags, element type, length and lower bound, then each element as its length and
// bytes, -1 for NULL; all 32-bit big-endian (array_recv in PostgreSQL's arrayfuncs.c).
class BinaryTextArray {
   public:
    void start();
    void add(const Value& value);  // an unchanged value is a std::logic_error
    // The finished parameter; valid until the next start().
    std::string_view finish();
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }

   private:
    std::string bytes_;
    std::uint32_t count_ = 0;
    bool has_null_ = false;
};

}  // namespace pgsluice
