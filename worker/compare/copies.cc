#include "worker/compare/copies.h"

#include <fmt/format.h>

#include <chrono>

#include "sql/error.h"
#include "stream/base/pause.h"
#include "stream/full_name.h"
#include "stream/group/table_record.h"

namespace pgsluice {

std::string uncopied(Broker& broker, const Names& names, const ChosenTables& chosen, Lsn lsn) {
    const auto record = find_table_records(broker, names);
    if (!record) return {};
    for (const auto& [oid, entry] : *record) {
        if (chosen && !chosen->contains(oid)) continue;
        const bool later = lsn.valid() && entry.state == TableState::copied && entry.lsn > lsn;
        if (later || entry.state == TableState::copy_due) return full_name(entry.name);
    }
    return {};
}

void await_copies(Broker& broker, const Names& names, const ChosenTables& chosen, const Log& log,
                  const std::stop_token& stop) {
    using Clock = std::chrono::steady_clock;
    for (auto next_say = Clock::now() + std::chrono::seconds(1);;) {
        const std::string table = uncopied(broker, names, chosen);
        if (table.empty()) return;
        if (Clock::now() >= next_say) {
            next_say = Clock::now() + std::chrono::seconds(10);
            log(LogLevel::info, fmt::format("waiting for the replicator to copy the rows of {}", table));
        }
        if (!pause(stop, std::chrono::milliseconds(200))) throw Interrupted{};
    }
}

}  // namespace pgsluice
