// A relation's definition as JSON (FORMAT.md, "Relation"): in blocks and in snapshot-begin markers.
#pragma once

#include <string_view>

#include "stream/change.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

class JsonFields;

void append_relation(JsonText& out, const Relation& relation);
// A stop Error when it is malformed.
Relation parse_relation(std::string_view json);
Relation parse_relation(const JsonFields& fields);

}  // namespace pgsluice
