// Whether a message's body is what its headers say. Knows no broker.
#pragma once

#include <string>
#include <string_view>

#include "stream/message.h"

namespace pgsluice {

// What is wrong with it; empty when nothing is. Of a `copy` the rows are counted, no more.
std::string body_fault(const MessageMeta& meta, const CopyHeader& copy, std::string_view body);

// Whether a message cannot come after one with these headers: positions never fall, but at a snapshot's begin, after
// the source was set back.
bool breaks_order(const MessageMeta& before, const MessageMeta& after);

}  // namespace pgsluice
