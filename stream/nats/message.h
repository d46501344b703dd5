// natsMsg and our messages.
#pragma once

#include <string>
#include <string_view>

#include "stream/nats/connection/handle.h"

namespace pgsluice::nats {

inline std::string_view body_of(natsMsg& msg) {
    return {natsMsg_GetData(&msg), static_cast<std::size_t>(natsMsg_GetDataLength(&msg))};
}

// A message with a copy of the body; `reply` may be null.
Msg make_message(const std::string& subject, const char* reply, std::string_view body);

}  // namespace pgsluice::nats
