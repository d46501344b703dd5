#include "replicator/bootstrap/held_snapshot.h"

#include <memory>
#include <utility>

#include "replicator/options.h"
#include "sql/error.h"

namespace pgsluice {

std::shared_ptr<HeldSnapshot> new_held_snapshot() { return std::make_shared<HeldSnapshot>(); }

void HeldSnapshot::hold(sql::Connection session, Lsn point, std::string dump_command) {
    const std::lock_guard lock(mutex_);
    session_.emplace(std::move(session));
    point_ = point;
    dump_command_ = std::move(dump_command);
}

std::string HeldSnapshot::dump_command() {
    const std::lock_guard lock(mutex_);
    return session_ ? dump_command_ : "";
}

bool HeldSnapshot::holds(Lsn point) {
    const std::lock_guard lock(mutex_);
    return session_ && point_ == point;
}

void HeldSnapshot::release() {
    const std::lock_guard lock(mutex_);
    session_.reset();
}

bool HeldSnapshot::still_there() {
    const std::lock_guard lock(mutex_);
    if (!session_) return false;
    try {
        session_->require_open();
        return true;
    } catch (const Error&) {
        session_.reset();
        return false;
    }
}

}  // namespace pgsluice
