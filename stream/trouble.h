// The newest error that ended a session of this process: for what it reports to the group's KV bucket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "stream/base/latest.h"

namespace pgsluice {

// May be called from any thread.
class Trouble {
   public:
    struct Last {
        std::string text;        // empty: there was none
        std::int64_t at_us = 0;  // microseconds since 2000-01-01 UTC
    };

    void note(std::string_view text, std::int64_t now_us) { last_.set(Last{std::string(text), now_us}); }
    [[nodiscard]] Last last() const { return last_.get().value_or(Last{}); }

   private:
    Latest<Last> last_;
};

}  // namespace pgsluice
