// Where a change goes that the target will not take, when the user chose --on-error dead-letter.
#pragma once

#include <string_view>

#include "stream/change.h"

namespace pgsluice {

class DeadLetters {
   public:
    virtual ~DeadLetters() = default;

    // Returns once the change, as the rules left it, is stored with its reason and position. When the batch is applied
    // again, after a crash, the same change may be parked again, or not; its position tells. Throws an Error when it
    // cannot be stored: then it is not lost either, for the batch is not committed.
    virtual void park(const Change& change, std::string_view reason) = 0;
};

}  // namespace pgsluice
