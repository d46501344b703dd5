// What a message says in words, as fields for a log that machines read.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice {

// The first LSN in the message, without an ordinal after it: "0/16B2D50". Empty when it names none.
std::string_view lsn_in(std::string_view message);
// The first table that the message names as such, "table 'schema.name'", without the quotes. Empty when it names none.
std::string_view table_in(std::string_view message);

}  // namespace pgsluice
