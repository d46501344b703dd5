// A checked cursor over the bytes of one protocol message (network byte order). Every read is bounds-checked; a message
// that is too short, too long or otherwise not what the protocol says is a stop Error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "sql/error.h"
#include "sql/lsn.h"

namespace pgsluice::pgoutput {

class Cursor {
   public:
    // `message` names the kind of message in errors and must outlive the cursor.
    Cursor(std::string_view bytes, const char* message) noexcept
        : at_(bytes.data()), end_(bytes.data() + bytes.size()), message_(message) {}

    std::uint8_t byte() { return integer<std::uint8_t>(); }
    char character() { return static_cast<char>(byte()); }
    std::uint16_t int16() { return integer<std::uint16_t>(); }
    std::uint32_t int32() { return integer<std::uint32_t>(); }
    std::uint64_t int64() { return integer<std::uint64_t>(); }
    Lsn lsn() { return Lsn{int64()}; }
    std::int64_t timestamp() { return static_cast<std::int64_t>(int64()); }

    std::string_view bytes(std::size_t count) {
        if (count > left()) fail("it is too short");
        const std::string_view view(at_, count);
        at_ += count;
        return view;
    }

    // Up to a zero byte, which is taken too.
    std::string_view text() {
        const void* zero = left() == 0 ? nullptr : std::memchr(at_, 0, left());
        if (zero == nullptr) fail("a text in it does not end");
        const auto view = bytes(static_cast<std::size_t>(static_cast<const char*>(zero) - at_));
        ++at_;
        return view;
    }

    [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

    void expect_end() const {
        if (at_ != end_) fail("there are bytes after its end");
    }

    [[noreturn]] void fail(const std::string& reason) const {
        throw stop_error(std::string("unable to decode the source's ") + message_ + " message: " + reason,
                         "This is a bug or a server newer than this program knows.");
    }

   private:
    template <typename T>
    T integer() {
        if (left() < sizeof(T)) fail("it is too short");
        T value = 0;
        for (std::size_t i = 0; i < sizeof(T); ++i) {
            value = static_cast<T>((std::uint64_t{value} << 8) | static_cast<std::uint8_t>(at_[i]));
        }
        at_ += sizeof(T);
        return value;
    }

    const char* at_;
    const char* end_;
    const char* message_;
};

}  // namespace pgsluice::pgoutput
