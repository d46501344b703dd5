#include "sinks/postgres/batch_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "sinks/ddl/derive.h"
#include "sinks/postgres/apply/plannable.h"

namespace pgsluice {

namespace {

// A table that --on-conflict names to keep the target's rows is written there as on the source, with the same numbers.
bool has_writers_of_its_own(const ConflictPolicy& policy, const TargetTable& table) {
    return policy.named(table.schema, table.table) == OnConflict::ignore;
}

constexpr auto polite_interval = std::chrono::milliseconds(500);  // of asking who waits for what is open

// Those met last are looked at first.
void add_once(std::vector<const Relation*>& relations, const Relation* relation) {
    if (std::find(relations.rbegin(), relations.rend(), relation) == relations.rend()) relations.push_back(relation);
}

struct Touched {
    std::vector<const Relation*> all;
    std::vector<const Relation*> filled;  // that rows were put into
};

Touched touched_by(const std::vector<Change>& changes) {
    Touched touched;
    for (const Change& change : changes) {
        for (const RelationPtr& relation : change.truncated) add_once(touched.all, relation.get());
        if (change.relation != nullptr && change.truncated.empty()) add_once(touched.all, change.relation);
        if (change.op == Op::insert || change.op == Op::update) add_once(touched.filled, change.relation);
    }
    return touched;
}

}  // namespace

void BatchWriter::write(const Batch& batch) {
    if (!batch.changes.empty() && !parts_.applier.open()) parts_.origins.use(parts_.session.connection, batch.made_in);
    const auto is_ddl = [](const Change& change) { return change.op == Op::message; };
    const auto ddl = std::find_if(batch.changes.begin(), batch.changes.end(), is_ddl);
    if (ddl == batch.changes.end()) return apply_rows(batch);
    apply_with_ddl(batch, static_cast<std::size_t>(ddl - batch.changes.begin()));
}

void BatchWriter::roll_back() {
    parts_.applier.roll_back();
    parts_.sequences.forget_noted();
    parts_.claims.forget();
}

// Tables that changes are about for the first time; some may have to be created in the middle of the stream.
void BatchWriter::create_missing(const std::vector<Change>& changes) {
    if (parts_.options.sync_schema) parts_.late_tables.create_missing(touched_by(changes).all, parts_.applier.open());
}

void BatchWriter::note_written(const std::vector<Change>& changes) {
    const Touched touched = touched_by(changes);
    parts_.claims.claim(touched.all);
    std::vector<std::string> names;
    std::vector<std::string> ahead;
    for (const Relation* relation : touched.filled) {
        const TargetTable& table = parts_.mappings.at(*relation)->table;
        names.push_back(table.name);
        if (!has_writers_of_its_own(parts_.options.on_conflict, table)) ahead.push_back(table.name);
    }
    parts_.sequences.note_written(names, ahead);
}

// Where a row's table is not as the source says, what was committed before is applied, and only that: to make the table
// fit the row may mean that it no longer fits those before.
void BatchWriter::apply_rows(const Batch& batch) {
    create_missing(batch.changes);
    if (const auto stopped = first_unplannable(batch.changes, parts_.mappings)) {
        apply_before(batch.changes, stopped->change);
        throw Error(stopped->error);
    }
    note_written(batch.changes);
    apply_changes(batch, batch.changes);
}

// Applies the transactions that end before the one of the change at `count`, and commits. All of them can be planned.
void BatchWriter::apply_before(const std::vector<Change>& changes, std::size_t count) {
    if (parts_.progress.state().loading_epoch != 0) return;
    const std::size_t end = before_transaction(changes, count);
    const bool ends_open = parts_.applier.open() && piece_end_.commit != changes[count].position.commit;
    if (end == 0 && !ends_open) return;
    const std::vector<Change> before(changes.begin(), changes.begin() + static_cast<std::ptrdiff_t>(end));
    // A worker without a checkpoint reads from the first message.
    const StreamSeq resume = std::max(parts_.progress.state().checkpoint.resume_seq, StreamSeq{1});
    const SinkState next = parts_.progress.at({resume, end == 0 ? piece_end_ : before.back().position});
    note_written(before);
    parts_.applier.apply(before, &next);
    parts_.committed();
    parts_.late_tables.finish();
}

// Transactions before the one with DDL are committed first. Where an operator has to decide about a command, nothing of
// its transaction is kept meanwhile; afterwards it is applied from its beginning, which is read again if it came in
// an earlier batch.
void BatchWriter::apply_with_ddl(const Batch& batch, std::size_t first) {
    const std::size_t whole = before_transaction(batch.changes, first);
    const std::vector<Change> before(batch.changes.begin(), batch.changes.begin() + static_cast<std::ptrdiff_t>(whole));
    create_missing(before);
    const auto stopped = first_unplannable(before, parts_.mappings);
    apply_before(batch.changes, stopped ? stopped->change : first);
    if (stopped) throw Error(stopped->error);
    finish_builds_before(batch.changes);
    const bool begins_here = !parts_.applier.open();
    for (bool applied = false; !applied;) {
        try {
            apply_ddl_transaction(batch, whole);
            applied = true;
        } catch (const UndecidedDdl& command) {
            await_decision(command);
            if (!begins_here) throw retry_error("a command was decided about: reading its transaction again");
        }
    }
}

// A command may need an index that is being built.
void BatchWriter::finish_builds_before(const std::vector<Change>& changes) {
    if (!parts_.builds.pending()) return;
    std::vector<DerivedStatement> commands;
    for (const Change& change : changes) {
        if (change.op != Op::message) continue;
        const bool derived = holds_definitions(change.content);
        auto more = derived ? derive(decode_definitions(change.content)) : std::vector(1, DerivedStatement{});
        std::move(more.begin(), more.end(), std::back_inserter(commands));
    }
    if (!parts_.builds.concern(parts_.session.connection, commands)) return;
    const bool open = parts_.applier.open();
    parts_.applier.roll_back();
    finish_builds();
    if (open) throw retry_error("an index was being built: reading the transaction of the next command again");
}

void BatchWriter::finish_builds() {
    while (parts_.builds.pending()) {
        parts_.builds.finish(tell_);
        if (const auto refused = parts_.builds.refused()) {
            if (parts_.builds.awaits_decision()) await_decision(*refused);
            parts_.builds.decided(parts_.session.connection);
        }
    }
    parts_.mappings.forget();
}

void BatchWriter::await_decision(const UndecidedDdl& command) {
    roll_back();
    parts_.mappings.forget();
    parts_.late_tables.forget();
    DdlWait(*parts_.decisions, parts_.options, parts_.log, stop_).await(command, [this] {
        tell_();
        parts_.session.connection.require_open();
    });
}

// DDL runs between the changes before and after it, all in one transaction. Later changes may be about tables that it
// makes or alters, so nothing is looked up beforehand.
void BatchWriter::apply_ddl_transaction(const Batch& batch, std::size_t from) {
    std::vector<Change> changes;
    for (std::size_t i = from; i < batch.changes.size(); ++i) {
        const Change& change = batch.changes[i];
        if (change.op != Op::message) {
            changes.push_back(change);
            continue;
        }
        create_missing(changes);
        note_written(changes);
        if (!changes.empty()) parts_.applier.apply(changes, nullptr);
        changes.clear();
        parts_.applier.apply_ddl(change);
        parts_.late_tables.forget();
    }
    create_missing(changes);
    note_written(changes);
    apply_changes(batch, changes);
}

void BatchWriter::apply_changes(const Batch& batch, const std::vector<Change>& changes) {
    if (batch.complete) {
        const SinkState next = parts_.progress.at(batch.upto);
        parts_.applier.apply(changes, &next);
        parts_.load.passed(StreamSeq{batch.upto.resume_seq.value - 1});
        parts_.committed();
        parts_.late_tables.finish();
    } else {
        parts_.applier.apply(changes, nullptr);
        piece_at_ = Clock::now();
        if (!changes.empty()) piece_end_ = changes.back().position;
    }
}

// Whether another session waits for the open transaction's end. A replicator that makes a slot on the same server does:
// then the rest would not come before the transaction has ended.
bool BatchWriter::holds_others_up() {
    return parts_.session.connection
        .query(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE NOT l.granted AND l.locktype = 'transactionid' AND "
            "l.transactionid = pg_catalog.xid(pg_catalog.pg_current_xact_id_if_assigned()))",
            {}, {1, 1, 1})
        .boolean(0, 0);
}

void BatchWriter::check_incomplete() {
    if (!parts_.applier.open()) return;
    const auto waited = Clock::now() - piece_at_;
    const bool given_up = waited >= std::chrono::milliseconds(parts_.options.incomplete_timeout_ms);
    if (!given_up &&
        (waited < std::chrono::milliseconds(parts_.options.incomplete_polite_ms) || Clock::now() < next_polite_))
        return;
    next_polite_ = Clock::now() + polite_interval;
    const bool polite = !given_up && holds_others_up();
    if (!given_up && !polite) return;
    parts_.applier.roll_back();
    throw retry_error(fmt::format("no more of an incomplete transaction came for {} s{}: rolled back on the target, "
                                  "reading it again",
                                  std::chrono::duration_cast<std::chrono::seconds>(waited).count(),
                                  polite ? ", and another session waits for it" : ""),
                      "Start the group's replicator if it does not run: the rest of the transaction comes from it.");
}

}  // namespace pgsluice
