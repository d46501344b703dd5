// An array as a field of a JSON object.
#pragma once

#include <string_view>

#include "stream/format/json_writer.h"

namespace pgsluice {

// `append_one` writes an element.
template <typename Elements, typename Append>
void append_array(JsonText& out, std::string_view name, const Elements& elements, const Append& append_one) {
    out.key(name);
    out.raw('[');
    for (bool first = true; const auto& element : elements) {
        if (!first) out.raw(',');
        first = false;
        append_one(element);
    }
    out.raw(']');
}

// The same of objects: `append_fields` writes those of an element.
template <typename Elements, typename Append>
void append_objects(JsonText& out, std::string_view name, const Elements& elements, const Append& append_fields) {
    append_array(out, name, elements, [&](const auto& element) {
        out.raw('{');
        append_fields(element);
        out.raw('}');
    });
}

}  // namespace pgsluice
