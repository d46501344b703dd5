// A wait that is made of many short ones, counted as one while it lasts.
#pragma once

#include <utility>

#include "stream/metrics/tally.h"

namespace pgsluice {

// Of the spell's writing thread, which counts it no other way meanwhile.
class Stretch {
   public:
    explicit Stretch(Spell& spell) noexcept : spell_(spell) {}
    ~Stretch() { end(); }
    Stretch(const Stretch&) = delete;
    Stretch& operator=(const Stretch&) = delete;

    // Begins, or continues.
    void go_on() noexcept {
        if (!std::exchange(lasts_, true)) spell_.begin();
    }
    void end() noexcept {
        if (std::exchange(lasts_, false)) spell_.end();
    }

   private:
    Spell& spell_;
    bool lasts_ = false;
};

}  // namespace pgsluice
