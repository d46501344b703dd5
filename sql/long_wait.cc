#include "sql/long_wait.h"

#include <fmt/format.h>

#include "sql/backend_watch.h"
#include "sql/connect/connecting.h"

namespace pgsluice::sql {

namespace {

using namespace std::chrono_literals;

constexpr auto look_after = 4s;
constexpr auto report_after = 10s;

constexpr const char* lost_hint =
    "A firewall, proxy or load balancer in between may have dropped the connection without telling.";

}  // namespace

LongWait::LongWait(const Connection& connection) noexcept : connection_(connection) {}

LongWait::~LongWait() {
    if (!reported_) return;
    try {
        connection_.options().on_long_wait({this, whom(), "", waited_});
    } catch (...) {  // only a message
    }
}

std::string LongWait::whom() const {
    return fmt::format("the {} at '{}'", connection_.options().role, describe(connection_.options()));
}

bool LongWait::look(std::chrono::milliseconds waited, const std::string& doing) {
    waited_ = waited;
    if (waited < look_after) return false;
    if (!watch_) watch_ = std::make_unique<BackendWatch>(at_same_place(connection_), connection_.backend());
    const Sighting seen = watch_->seen();
    if (seen.lost) {
        throw SqlError(
            Action::retry,
            fmt::format("unable to {}: the {} has not answered for {} s, and {}", doing, connection_.options().role,
                        std::chrono::duration_cast<std::chrono::seconds>(waited).count(), seen.text),
            "", lost_hint);
    }
    if (waited >= report_after && connection_.options().on_long_wait) {
        connection_.options().on_long_wait({this, whom(), fmt::format("({}) {}", doing, seen.text), waited});
        reported_ = true;
    }
    return seen.at_work;
}

}  // namespace pgsluice::sql
