#include "sinks/lines/json_value.h"

#include "sinks/lines/json_bytes.h"
#include "stream/format/json_string.h"

#include <algorithm>
#include <cstddef>

namespace pgsluice {

namespace {

constexpr std::size_t npos = std::string_view::npos;

// OIDs of pg_type.dat; they never change.
JsonType::Kind kind_of(Oid type) {
    switch (type) {
        case 16:
            return JsonType::Kind::boolean;
        case 20:   // int8
        case 21:   // int2
        case 23:   // int4
        case 700:  // float4
        case 701:  // float8
            return JsonType::Kind::number;
        case 114:   // json
        case 3802:  // jsonb
            return JsonType::Kind::json;
        default:
            return JsonType::Kind::text;
    }
}

constexpr Oid box_oid = 603;  // the one built-in type whose typdelim is not a comma

// After the dimensions before an array's braces (`[2:3][0:1]=`), which PostgreSQL writes when a lower bound is not 1.
std::size_t skip_bounds(std::string_view text) {
    if (text.empty() || text[0] != '[') return 0;
    const std::size_t equals = text.find('=');
    return equals == npos ? npos : equals + 1;
}

}  // namespace

JsonType json_type(const Column& column) {
    JsonType type;
    type.array = column.element_oid != 0;
    type.kind = kind_of(type.array ? column.element_oid : column.base_oid != 0 ? column.base_oid : column.type_oid);
    if (column.element_oid == box_oid) type.delimiter = ';';
    return type;
}

void JsonValueWriter::append(std::string& out, JsonType type, std::string_view text) {
    if (!type.array) return append_scalar(out, type.kind, text);
    const std::size_t mark = out.size();
    if (append_array(out, type, text)) return;
    out.resize(mark);
    append_json_string(out, text);
}

void JsonValueWriter::append_scalar(std::string& out, JsonType::Kind kind, std::string_view text) {
    switch (kind) {
        case JsonType::Kind::number:
            if (!is_json_number(text)) break;
            out += text;
            return;
        case JsonType::Kind::boolean:
            if (text != "t" && text != "f") break;
            out += text == "t" ? "true" : "false";
            return;
        case JsonType::Kind::json:
            if (!compactor_.append(out, text)) break;
            return;
        case JsonType::Kind::text:
            break;
    }
    append_json_string(out, text);
}

// False when the text is not an array as array_out() writes it (manual, section 8.15.6); `out` is then to be cut back.
bool JsonValueWriter::append_array(std::string& out, JsonType type, std::string_view text) {
    std::size_t at = skip_bounds(text);
    std::size_t depth = 0;
    bool element_next = true;    // an element or a sub-array may follow
    bool empty_allowed = false;  // and a closing brace, too
    do {
        if (at >= text.size()) return false;
        const char c = text[at];
        if (c == '{') {
            if (!element_next) return false;
            out += '[';
            ++depth;
            empty_allowed = true;
            ++at;
        } else if (c == '}') {
            if (depth == 0 || (element_next && !empty_allowed)) return false;
            out += ']';
            --depth;
            element_next = empty_allowed = false;
            ++at;
        } else if (c == type.delimiter) {
            if (element_next) return false;
            out += ',';
            element_next = true;
            ++at;
        } else {
            if (!element_next || depth == 0) return false;
            at = append_element(out, type, text, at);
            if (at == npos) return false;
            element_next = empty_allowed = false;
        }
    } while (depth > 0);
    return at == text.size();
}

// Returns the offset just past the element; npos when a quote is not closed.
std::size_t JsonValueWriter::append_element(std::string& out, JsonType type, std::string_view text, std::size_t at) {
    if (text[at] != '"') {
        std::size_t end = at;
        while (end < text.size() && text[end] != type.delimiter && text[end] != '}') ++end;
        const std::string_view element = text.substr(at, end - at);
        if (element == "NULL") {
            out += "null";
        } else {
            append_scalar(out, type.kind, element);
        }
        return end;
    }
    element_.clear();
    for (++at; at < text.size() && text[at] != '"';) {
        if (text[at] == '\\') {
            if (++at == text.size()) return npos;
            element_ += text[at++];
            continue;
        }
        const std::size_t end = std::min(text.find_first_of("\"\\", at), text.size());
        element_.append(text, at, end - at);
        at = end;
    }
    if (at >= text.size()) return npos;
    append_scalar(out, type.kind, element_);
    return at + 1;
}

}  // namespace pgsluice
