// The function that reads an object's definition from the catalog: pgsluice.definition(class, oid), null when there is
// no such object.
#pragma once

#include <string>

namespace pgsluice::ddl {

// Its body in PL/pgSQL. To be called with the settings of fixed_settings (functions.h).
std::string definition_body(int server_version);

}  // namespace pgsluice::ddl
