// Builds pgoutput messages byte by byte, for tests and fuzz seeds of the decoder and of what stands behind it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace pgsluice::test {

class PgoutputBytes {
   public:
    explicit PgoutputBytes(char kind) : bytes_(1, kind) {}

    PgoutputBytes& byte(std::uint8_t value) { return integer(value); }
    PgoutputBytes& character(char value) { return integer(static_cast<std::uint8_t>(value)); }
    PgoutputBytes& int16(std::uint16_t value) { return integer(value); }
    PgoutputBytes& int32(std::uint32_t value) { return integer(value); }
    PgoutputBytes& int64(std::uint64_t value) { return integer(value); }
    PgoutputBytes& text(std::string_view value) {
        bytes_.append(value).push_back('\0');
        return *this;
    }
    // With its size before it.
    PgoutputBytes& bytes(std::string_view value) {
        int32(static_cast<std::uint32_t>(value.size()));
        bytes_.append(value);
        return *this;
    }
    PgoutputBytes& text_value(std::string_view value) { return character('t').bytes(value); }
    PgoutputBytes& null_value() { return character('n'); }
    PgoutputBytes& unchanged_value() { return character('u'); }

    [[nodiscard]] std::string take() { return std::move(bytes_); }

   private:
    template <typename T>
    PgoutputBytes& integer(T value) {
        for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8) {
            bytes_.push_back(static_cast<char>((std::uint64_t{value} >> shift) & 0xFF));
        }
        return *this;
    }

    std::string bytes_;
};

}  // namespace pgsluice::test
