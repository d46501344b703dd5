// The lock that one replicator of a group has on its source, so that a second one waits.
#pragma once

#include <optional>
#include <string>

#include "sql/connection.h"

namespace pgsluice {

// The server process that holds a group's lock; the time tells it from a later one of the same number.
struct LockHolder {
    std::string pid;
    std::string since;
    bool operator==(const LockHolder&) const = default;
};

std::optional<LockHolder> find_lock_holder(sql::Connection& connection, const std::string& slot);
// Whether an earlier session of this very process left it.
bool is_own_leftover(const std::string& slot, const LockHolder& holder);
// Without waiting. True when `connection` holds it then, until it ends.
bool try_group_lock(sql::Connection& connection, const std::string& slot);
// Ends the server process, if it still holds the lock and is a replicator's of the group: of our role and our
// application_name. For whoever knows that the replicator is cut off. False when it was another's.
bool end_lock_holder(sql::Connection& connection, const std::string& slot, const LockHolder& holder);

// Keeps two replicators of one group from undoing each other's slots, from the constructor until `connection` ends.
//
// A backend whose connection died unnoticed may keep the lock for hours. One that an earlier session of this very
// process left is ended; this object's life says how long a session lasts, so it must end no later than `connection`.
class GroupLock {
   public:
    // A retry Error naming the holder when another has it.
    GroupLock(sql::Connection& connection, std::string slot);
    ~GroupLock();
    GroupLock(const GroupLock&) = delete;
    GroupLock& operator=(const GroupLock&) = delete;

    // The server process of `connection`.
    [[nodiscard]] const LockHolder& holder() const noexcept { return self_; }

   private:
    std::string slot_;
    LockHolder self_;
};

}  // namespace pgsluice
