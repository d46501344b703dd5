#include "replicator/source/slot/failover.h"

#include <fmt/format.h>

#include <utility>

#include "replicator/source/recovery.h"
#include "replicator/source/session.h"
#include "sql/error.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

constexpr int first_version = 170000;

bool has_failover_slots(sql::Connection& source) {
    if (source.server_version() < first_version) return false;
    return !in_recovery(source);
}

std::string describe(const std::optional<SlotState>& slot) {
    if (!slot) return "the slot would be a failover slot: standbys with sync_replication_slots keep a copy of it";
    if (slot->failover) return "the slot is a failover slot: standbys with sync_replication_slots keep a copy of it";
    return "the slot is not a failover slot yet: the next start makes it one, if nothing uses it";
}

// Without it a standby that is promoted may lack what was replicated already, and then only a new copy helps. Whether a
// physical slot is a standby's, the server does not say; one that is in use is.
std::optional<FailoverFinding> standbys_not_waited_for(sql::Connection& source) {
    const auto found = source.query(
        "SELECT coalesce(pg_catalog.string_agg(slot_name, ', ' ORDER BY slot_name), '') "
        "FROM pg_catalog.pg_replication_slots WHERE slot_type = 'physical' AND active "
        "AND pg_catalog.current_setting('synchronized_standby_slots') = ''",
        {}, {1, 1, 1});
    const std::string standbys = found.text(0, 0);
    if (standbys.empty()) return std::nullopt;
    return FailoverFinding{
        fmt::format("a standby that is promoted may lack changes that were replicated already, and the group would "
                    "then have to be copied again: synchronized_standby_slots is empty, and standbys use {}",
                    standbys),
        fmt::format("Set synchronized_standby_slots = '{}' on the source: then no change is replicated before these "
                    "standbys have it, and none while one of them is down.",
                    standbys)};
}

}  // namespace

std::vector<FailoverFinding> look_at_failover(sql::Connection& source, const std::optional<SlotState>& slot) {
    if (!has_failover_slots(source)) return {};
    std::vector<FailoverFinding> all{{describe(slot), {}}};
    if (auto finding = standbys_not_waited_for(source)) all.push_back(std::move(*finding));
    return all;
}

sql::SlotLife lasting_slot(sql::Connection& source) {
    return has_failover_slots(source) ? sql::SlotLife::failover : sql::SlotLife::permanent;
}

void keep_through_failover(const sql::ConnectOptions& options, sql::Connection& source, const std::string& name,
                           const SlotState& slot, const Log& log, std::stop_token stop) {
    if (slot.failover || !has_failover_slots(source)) return;
    const std::string statement = fmt::format("ALTER_REPLICATION_SLOT {} (FAILOVER true)", sql::quote_identifier(name));
    try {
        connect_replication(options, std::move(stop)).connection().exec(statement, "alter the slot");
        log(LogLevel::info, fmt::format("slot '{}' is a failover slot now: standbys with sync_replication_slots keep a "
                                        "copy of it, and the group continues when one is promoted",
                                        name));
    } catch (const SqlError& error) {
        if (error.sqlstate().empty()) throw;  // the connection was lost
        log(LogLevel::warning, fmt::format("slot '{}' would not survive the promotion of a standby: {}. Run {} over a "
                                           "replication connection while the replicator is stopped",
                                           name, error.what(), statement));
    }
}

}  // namespace pgsluice
