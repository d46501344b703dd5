// Values in the form in which a type's receive function takes them, of types for which that spares the target work: it
// reads no text then. A text of another spelling than PostgreSQL's own is left to the server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "stream/change.h"

namespace pgsluice {

enum class BinaryForm : std::uint8_t {
    text,  // as it is; of every type that has no other form here
    int2,
    int4,
    int8,
    float4,
    float8,
    boolean,
    date,
    timestamp,
    timestamptz,
    uuid,
    numeric
};

// Of a type as format_type() names it without length or precision.
BinaryForm binary_form_of(std::string_view type);
// What arrays of it are declared as, and the type's number in every PostgreSQL.
std::string_view type_name(BinaryForm form);
Oid type_oid(BinaryForm form);

// Appends the value. False where the text is not written as PostgreSQL would write such a value (BC, infinity, a time
// zone other than +00, a day that does not exist); what was appended is to be thrown away then.
bool append_binary(std::string& out, BinaryForm form, std::string_view text);

}  // namespace pgsluice
