// From which stream a sink's state came, as one word (Sink::reads()).
#pragma once

#include <string>

namespace pgsluice {

// `stream` is kept from now on. Whether it is the one that was; where that is not known, it is. 0 was written by a
// build that asked for a stream while nats-server was still making it.
inline bool keep_stream(std::string& kept, const std::string& stream) {
    const bool same = kept.empty() || kept == "0" || kept == stream;
    kept = stream;
    return same;
}

}  // namespace pgsluice
