// Writes the JSON of message bodies and KV values into a buffer that is reused.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "sql/lsn.h"

namespace pgsluice {

class JsonText {
   public:
    void clear() noexcept { size_ = 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::string_view view() const noexcept { return {buffer_.get(), size_}; }

    // Unescaped: punctuation, names and literals.
    void raw(std::string_view json) {
        std::memcpy(room(json.size()), json.data(), json.size());
        size_ += json.size();
    }
    void raw(char c) {
        *room(1) = c;
        ++size_;
    }
    template <std::integral T>
    void number(T value) {
        if constexpr (std::signed_integral<T>) {
            signed_number(value);
        } else {
            unsigned_number(value);
        }
    }
    void boolean(bool value) { raw(value ? "true" : "false"); }
    // Any bytes: a JSON string, or {"hex":"..."} when they are not UTF-8.
    void text(std::string_view bytes);
    void lsn(Lsn value);  // "0/16B2D50"

    // A field's name, after a comma unless it is the first of its object. `name` needs no escape.
    void key(std::string_view name) {
        raw(size_ > 0 && buffer_[size_ - 1] == '{' ? "\"" : ",\"");
        raw(name);
        raw("\":");
    }
    // Fields.
    template <std::integral T>
    void number(std::string_view name, T value) {
        key(name);
        number(value);
    }
    void boolean(std::string_view name, bool value) {
        key(name);
        boolean(value);
    }
    void text(std::string_view name, std::string_view bytes) {
        key(name);
        text(bytes);
    }
    void lsn(std::string_view name, Lsn value) {
        key(name);
        lsn(value);
    }

   private:
    // Where to write next; at least `bytes` are free there.
    char* room(std::size_t bytes) {
        if (capacity_ - size_ < bytes) grow(bytes);
        return buffer_.get() + size_;
    }
    void grow(std::size_t bytes);
    void unsigned_number(std::uint64_t value);
    void signed_number(std::int64_t value);
    void hex(std::string_view bytes);

    std::unique_ptr<char[]> buffer_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace pgsluice
