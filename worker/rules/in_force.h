// By which rules a worker delivers: those it read at its start, until others that it was told to read are found to be
// in order. Files that are edited meanwhile change nothing, not even at a lost connection.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "rules/rules_files.h"

namespace pgsluice {

// Any thread.
class RulesInForce {
   public:
    using Files = std::shared_ptr<const RulesFiles>;

    // usage Error when the files are not in order.
    explicit RulesInForce(const RulesOptions& options);

    // What it says of the files of now.
    enum class Found { none, same, waiting };
    // Reads the files again; a usage Error when they are not in order, which changes nothing. Those that say something
    // else wait until a session starts with them.
    Found read_again(const RulesOptions& options);
    // Others wait than those in force: the session is to end between two transactions.
    [[nodiscard]] bool waiting() const noexcept { return waits_; }

    // What the next session starts with.
    [[nodiscard]] Files next() const;
    [[nodiscard]] bool in_force(const Files& files) const;
    // A session with them has started.
    void put_in_force(const Files& files);
    // None can.
    void refuse(const Files& files);

   private:
    void drop(const Files& files);

    mutable std::mutex mutex_;
    Files in_force_;
    Files waiting_;
    std::atomic<bool> waits_ = false;
};

}  // namespace pgsluice
