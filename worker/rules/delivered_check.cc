#include "worker/rules/delivered_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sinks/delivers_again.h"

namespace pgsluice {

namespace {

std::vector<RelationPtr> tables_of(const std::vector<ChangedTable>& changed) {
    std::vector<RelationPtr> tables;
    for (const ChangedTable& one : changed) tables.push_back(one.table);
    return tables;
}

}  // namespace

DeliveredCheck::DeliveredCheck(const WorkerOptions& options, const Ruleset& ruleset, Sink& sink, Broker& broker,
                               bool known, const Log& log)
    : options_(options),
      sink_(sink),
      broker_(broker),
      known_(known),
      log_(log),
      keys_(broker, options.names, options.worker),
      delivered_(
          ruleset, options.on_rules_change, load(known), [this](const Delivered::Notes& notes) { keep(notes); }, log) {}

Delivered::Notes DeliveredCheck::load(bool known) {
    auto notes = sink_.table_notes();
    in_sink_ = notes.has_value();
    if (!in_sink_) notes = keys_.load();
    if (auto* again = dynamic_cast<DeliversAgain*>(&sink_)) {
        reloads_ = reloads_in(*notes);
        again->deliver_again(reloads_);
    }
    return known ? std::move(*notes) : Delivered::Notes{};
}

void DeliveredCheck::keep(const Delivered::Notes& notes) {
    if (in_sink_) return sink_.note_tables(notes);
    for (const auto& [table, note] : notes) keys_.put(table, note);
}

bool DeliveredCheck::run(SessionStart& start, WorkerFacts facts, std::span<const RelationPtr> tables,
                         const std::stop_token& stop) {
    note_from_now_on(tables);
    if (!known_) return false;
    auto changed = delivered_.changed(tables);
    if (changed.empty() && !sink_.kept_rows_against_options()) return false;
    find_snapshot(facts, broker_, options_.names, stop);
    const RulesChange change = change_of(start, facts, std::move(changed));
    const std::string what = change.changed.empty() ? "the last snapshot began without --target-existing-rows truncate"
                                                    : rules_changed(change.changed);
    switch (decide_remedy(change)) {
        case Remedy::none:
            break;
        case Remedy::accept:
            log_(LogLevel::warning, what + "; they stay as they are");
            delivered_.accept(tables_of(change.changed));
            break;
        case Remedy::await_snapshot:
            log_(LogLevel::warning,
                 fmt::format("{}; the snapshot of epoch {} will replace them", what, newest_epoch(facts)));
            delivered_.await_snapshot(change.changed, facts.sink ? facts.sink->loading_epoch : 0);
            break;
        case Remedy::load_again:
            log_(LogLevel::warning, fmt::format("{}; loading the snapshot of epoch {} again from its beginning", what,
                                                facts.snapshot->epoch));
            if (change.takes_back) sink_.start_over();
            deliver_again();
            start.from = {facts.snapshot->seq, {}};
            start.over = true;
            start.loading.reset();
            start.snapshot_applied = false;
            return true;
    }
    return false;
}

// Noted before the first event: what is repeated after a crash is known by the same ids.
void DeliveredCheck::deliver_again() {
    auto* again = dynamic_cast<DeliversAgain*>(&sink_);
    if (again == nullptr) return;
    keys_.put(note_of_no_table, encode_reloads(++reloads_));
    again->deliver_again(reloads_);
}

// Rows that were delivered before their rules were noted cannot be compared.
void DeliveredCheck::note_from_now_on(std::span<const RelationPtr> tables) {
    if (delivered_.complete()) return;
    if (known_) {
        log_(LogLevel::warning,
             "an earlier version of pgsluice delivered rows without noting by which rules, so they cannot be compared "
             "with the rules as they are now");
        delivered_.accept(tables);
    }
    delivered_.begin_notes(reloads_);
}

RulesChange DeliveredCheck::change_of(const SessionStart& start, const WorkerFacts& facts,
                                      std::vector<ChangedTable> changed) const {
    const std::uint64_t loading = start.over || !facts.sink ? 0 : facts.sink->loading_epoch;
    const std::uint64_t newest = facts.snapshot ? facts.snapshot->epoch : 0;
    RulesChange change;
    change.worker = options_.worker;
    change.on_change = options_.on_rules_change;
    change.targets_tables = options_.sink == "postgres";
    change.changed = std::move(changed);
    change.kept_rows = sink_.kept_rows_against_options();
    change.loading = loading != 0 && loading == newest;
    change.added_loading = loading != 0 && loading != newest;
    change.takes_back = sink_.takes_back();
    change.replaces_rows = sink_.snapshot_replaces_rows();
    change.snapshot_held = facts.snapshot_held;
    change.snapshot_ahead =
        facts.announced_epoch > newest ||
        (facts.snapshot_held && facts.snapshot->seq >= std::max(start.from.resume_seq, facts.delivered_before));
    return change;
}

}  // namespace pgsluice
