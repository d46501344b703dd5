#include "stream/format/json_fields.h"

#include "stream/base/hex.h"

namespace pgsluice {

std::string JsonFields::text(std::string_view name) const {
    std::string_view value;
    const auto element = at(name);
    if (element.get(value) == simdjson::SUCCESS) return std::string(value);
    if (element["hex"].get(value) != simdjson::SUCCESS) throw bad(name, "not a text");
    std::string bytes(value.size() / 2, '\0');
    if (!decode_hex(value, bytes.data())) throw bad(name, "not hexadecimal");
    return bytes;
}

Lsn JsonFields::lsn(std::string_view name) const {
    const auto value = parse_lsn(text(name));
    if (!value) throw bad(name, "not an LSN");
    return *value;
}

}  // namespace pgsluice
