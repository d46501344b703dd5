#include "sinks/postgres/array.h"

#include <stdexcept>

namespace pgsluice {

namespace {

constexpr std::size_t header_bytes = 20;
constexpr std::uint32_t text_oid = 25;
constexpr std::size_t max_kept_bytes = 4U << 20;

void put_at(char* place, std::uint32_t value) {
    place[0] = static_cast<char>(value >> 24);
    place[1] = static_cast<char>(value >> 16);
    place[2] = static_cast<char>(value >> 8);
    place[3] = static_cast<char>(value);
}

void append_number(std::string& out, std::uint32_t value) {
    char bytes[4];
    put_at(bytes, value);
    out.append(bytes, sizeof bytes);
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    out += '"';
}

}  // namespace

std::string text_array(std::span<const std::string> elements) {
    const std::vector<std::optional<std::string_view>> texts(elements.begin(), elements.end());
    return nullable_text_array(texts);
}

std::string nullable_text_array(std::span<const std::optional<std::string_view>> elements) {
    std::string out = "{";
    for (const auto& element : elements) {
        if (out.size() > 1) out += ',';
        if (element)
            append_quoted(out, *element);
        else
            out += "NULL";
    }
    return out + "}";
}

void BinaryTextArray::start() {
    if (bytes_.capacity() > max_kept_bytes) bytes_ = {};  // a huge value went through
    bytes_.assign(header_bytes, '\0');
    count_ = 0;
    has_null_ = false;
}

void BinaryTextArray::add(const Value& value) {
    ++count_;
    switch (value.kind()) {
        case Value::Kind::text:
            append_number(bytes_, static_cast<std::uint32_t>(value.text().size()));
            bytes_.append(value.text());
            return;
        case Value::Kind::null:
            has_null_ = true;
            append_number(bytes_, 0xFFFFFFFFU);
            return;
        case Value::Kind::unchanged:
            throw std::logic_error("an unchanged value has no place in a statement");
    }
}

std::string_view BinaryTextArray::finish() {
    put_at(bytes_.data(), 1);
    put_at(bytes_.data() + 4, has_null_ ? 1 : 0);
    put_at(bytes_.data() + 8, text_oid);
    put_at(bytes_.data() + 12, count_);
    put_at(bytes_.data() + 16, 1);
    return bytes_;
}

}  // namespace pgsluice
