// What a DDL line says its command is about: the first object that changed, and the table that it belongs to.
#pragma once

#include <string>

#include "stream/definition/definition_message.h"

namespace pgsluice {

struct DdlLineObject {
    std::string type;      // "table", "index"
    std::string identity;  // "public.users"
    std::string schema;    // of the table, or of what belongs to none
    std::string table;     // empty when it belongs to none
    bool dropped = false;
};

DdlLineObject line_object(const DefinitionMessage& message);

}  // namespace pgsluice
