// Whether a message's body is what its headers say. Knows no broker.
#pragma once

#include <string>
#include <string_view>

#include "stream/format/headers.h"

namespace pgsluice {

// What is wrong with it; empty when nothing is. Of a `copy` the rows are counted, no more.
std::string body_fault(const MessageMeta& meta, const CopyHeader& copy, std::string_view body);

// What is wrong with a message that comes after one with these headers; empty when nothing is. Positions never fall,
// but at a snapshot's begin, after the source was set back.
std::string fault_after(const ParsedHeaders& before, const ParsedHeaders& headers);

}  // namespace pgsluice
