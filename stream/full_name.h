// A table's name for messages: `schema.table`, without quotes.
#pragma once

#include <string>

namespace pgsluice {

// Of whatever has a `schema` and a `table`, or a `schema` and a `name`.
template <typename Named>
std::string full_name(const Named& named) {
    if constexpr (requires { named.table; }) {
        return named.schema + '.' + named.table;
    } else {
        return named.schema + '.' + named.name;
    }
}

}  // namespace pgsluice
