// Where a change goes that the sink's other end refuses, with --on-error dead-letter.
#pragma once

#include <cstdint>
#include <string_view>

#include "stream/change.h"

namespace pgsluice {

class DeadLetters {
   public:
    virtual ~DeadLetters() = default;

    // Returns once the change, as the rules left it, is stored with its reason and position. When the batch is applied
    // again, after a crash, the same change may be parked again, or not; its position identifies it. Throws an
    // Error when it cannot be stored: then it is not lost either, because the batch is not committed. `reload`: by
    // which rules the change is as it is (EventKey::reload); 0 where the sink knows no such thing.
    virtual void park(const Change& change, std::string_view reason, std::uint64_t reload) = 0;
};

}  // namespace pgsluice
