#include "sql/quote.h"

#include <stdexcept>

namespace pgsluice::sql {

namespace {

void append_doubled(std::string& out, std::string_view text, std::string_view doubled) {
    for (const char c : text) {
        if (c == '\0') throw std::logic_error("a NUL byte in text for SQL");
        if (doubled.find(c) != std::string_view::npos) out += c;
        out += c;
    }
}

}  // namespace

std::string quote_identifier(std::string_view name) {
    std::string out = "\"";
    append_doubled(out, name, "\"");
    return out += '"';
}

std::string quote_qualified(std::string_view schema, std::string_view name) {
    return quote_identifier(schema) + '.' + quote_identifier(name);
}

std::string quote_literal(std::string_view text) {
    const bool escaped = text.find('\\') != std::string_view::npos;
    std::string out = escaped ? "E'" : "'";
    append_doubled(out, text, escaped ? "'\\" : "'");
    return out += '\'';
}

void append_quoted_element(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    out += '"';
}

}  // namespace pgsluice::sql
