#include "sinks/postgres/array.h"

#include <stdexcept>

#include "sql/quote.h"

namespace pgsluice {

namespace {

constexpr std::size_t header_bytes = 20;
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
            sql::append_quoted_element(out, *element);
        else
            out += "NULL";
    }
    return out + "}";
}

void BinaryArray::start(BinaryForm form) {
    if (bytes_.capacity() > max_kept_bytes) bytes_ = {};  // a huge value went through
    bytes_.assign(header_bytes, '\0');
    form_ = form;
    count_ = 0;
    has_null_ = false;
}

bool BinaryArray::add(const Value& value) {
    if (value.is_unchanged()) throw std::logic_error("an unchanged value has no place in a statement");
    ++count_;
    const std::size_t length_at = bytes_.size();
    append_number(bytes_, 0xFFFFFFFFU);
    if (value.is_null()) {
        has_null_ = true;
        return true;
    }
    const bool has_form = append_binary(bytes_, form_, value.text());
    put_at(bytes_.data() + length_at, static_cast<std::uint32_t>(bytes_.size() - length_at - sizeof(std::uint32_t)));
    return has_form;
}

std::string_view BinaryArray::finish() {
    put_at(bytes_.data(), 1);
    put_at(bytes_.data() + 4, has_null_ ? 1 : 0);
    put_at(bytes_.data() + 8, type_oid(form_));
    put_at(bytes_.data() + 12, count_);
    put_at(bytes_.data() + 16, 1);
    return bytes_;
}

}  // namespace pgsluice
