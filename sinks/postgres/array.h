// Arrays as PostgreSQL parameters: the text form, and the binary form that needs no escaping.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/postgres/binary_form.h"
#include "stream/change.h"

namespace pgsluice {

// {"a","b"}: manual, section 8.15.6 "Array Input and Output Syntax".
std::string text_array(std::span<const std::string> elements);
std::string nullable_text_array(std::span<const std::optional<std::string_view>> elements);

// Builds an array in binary: dimensions, flags, element type, length and lower bound, then each element as its length
// and bytes, -1 for NULL; all 32-bit big-endian (array_recv in PostgreSQL's arrayfuncs.c).
class BinaryArray {
   public:
    void start(BinaryForm form = BinaryForm::text);
    // False where the value has no such form (binary_form.h): the array is of no use then. An unchanged value is a
    // std::logic_error.
    bool add(const Value& value);
    // The finished parameter; valid until the next start().
    std::string_view finish();
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }

   private:
    std::string bytes_;
    BinaryForm form_ = BinaryForm::text;
    std::uint32_t count_ = 0;
    bool has_null_ = false;
};

}  // namespace pgsluice
