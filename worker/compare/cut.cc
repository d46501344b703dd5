#include "worker/compare/cut.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <optional>

#include "sql/lock_timeout.h"
#include "sql/quote.h"
#include "sql/replication.h"
#include "stream/base/pause.h"
#include "stream/base/random_number.h"
#include "stream/group/compare_keys.h"
#include "stream/group/registry.h"
#include "stream/heartbeat.h"
#include "stream/share/one_worker.h"
#include "worker/compare/copies.h"

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int attempts = 5;
constexpr auto answer_poll = std::chrono::milliseconds(20);
constexpr auto say_wait_every = std::chrono::seconds(10);
constexpr auto running_for = std::chrono::seconds(15);  // a worker reports every second, and says when it ends
constexpr auto silence_limit = std::chrono::seconds(60);
// Below what the worker waits for us.
constexpr auto slot_limit = std::chrono::seconds(12);

std::string random_id() { return fmt::format("{:08x}", random_number() >> 32U); }

bool is_running(const WorkerEntry& entry) { return entry.runs(WorkerRegistry::now_us(), running_for); }

void check_running(const std::optional<WorkerEntry>& entry, const CompareOptions& options) {
    if (!entry)
        throw stop_error(
            fmt::format("unable to compare: group '{}' has no worker '{}'", options.names.group, options.worker),
            "Give its --worker-name. See the group's workers with pgsluice status.");
    if (entry->sink != "postgres")
        throw stop_error(fmt::format("unable to compare: worker '{}' is a {} worker", options.worker, entry->sink),
                         "Only what a postgres worker wrote can be compared; give its --worker-name.");
    if (!is_running(*entry))
        throw stop_error(fmt::format("unable to compare: worker '{}' is not running", options.worker),
                         "Start it: it has to say when the target is at the source's LSN.");
}

// The worker's side of the agreement; the request is gone when this is.
class Agreement {
   public:
    Agreement(const CompareOptions& options, Broker& broker, const Log& log, const std::stop_token& stop)
        : options_(options),
          keys_(broker, options.names, options.worker),
          registry_(broker, options.names),
          log_(log),
          stop_(stop) {
        std::vector<std::string> workers;
        for (const WorkerEntry& entry : registry_.list()) workers.push_back(entry.name);
        require_one_worker("compare", options.worker, workers);
        await_running();
        id_ = random_id();
        keys_.ask({id_, {}});
    }
    ~Agreement() {
        try {
            end();
        } catch (...) {  // the worker ends it by itself
        }
    }
    Agreement(const Agreement&) = delete;
    Agreement& operator=(const Agreement&) = delete;

    void wait_until_held() { await(CompareState::held, "to stand still"); }
    void wait_until_at(Lsn lsn) {
        keys_.ask({id_, lsn});
        await(CompareState::reached, fmt::format("to reach {}", to_string(lsn)));
    }
    void end() {
        keys_.end(id_);
        keys_.forget_answer();
    }

   private:
    // A worker between two sessions, as after a deadlock with the application, has one again soon.
    void await_running() {
        bool said = false;
        for (const auto deadline = Clock::now() + silence_limit; Clock::now() < deadline;) {
            const auto entry = registry_.find(options_.worker);
            if (!entry || !entry->starts()) break;
            if (!said)
                log_(LogLevel::info,
                     fmt::format("waiting for worker '{}', which {}", options_.worker,
                                 entry->last_error.empty() ? "starts" : "tries again: " + entry->last_error));
            said = true;
            if (!pause(stop_, std::chrono::milliseconds(200))) throw Interrupted{};
        }
        check_running(registry_.find(options_.worker), options_);
    }

    void await(CompareState wanted, const std::string& what) {
        auto next_look = Clock::now() + std::chrono::seconds(1);
        auto next_say = Clock::now() + say_wait_every;
        auto last_report = Clock::now();
        for (;;) {
            const auto answer = keys_.answer();
            if (answer && answer->id == id_ && answer->state == wanted) return;
            if (answer && answer->id == id_ && answer->state != CompareState::held)
                throw NotMet{answer->state == CompareState::passed ? "the worker was beyond the source's snapshot"
                                                                   : "the worker did not wait any longer"};
            if (!pause(stop_, answer_poll)) throw Interrupted{};
            if (Clock::now() < next_look) continue;
            next_look = Clock::now() + std::chrono::seconds(1);
            check_ours();
            const auto entry = registry_.find(options_.worker);
            if (entry && is_running(*entry)) last_report = Clock::now();
            if (Clock::now() - last_report > silence_limit) check_running(entry, options_);
            if (Clock::now() < next_say) continue;
            next_say = Clock::now() + say_wait_every;
            log_(LogLevel::info,
                 fmt::format("waiting for worker '{}' {}{}", options_.worker, what,
                             entry ? fmt::format("; it has applied {}{}", to_string(entry->applied.position),
                                                 is_running(*entry) ? "" : " and is not running")
                                   : ""));
        }
    }

    // A worker answers one compare at a time.
    void check_ours() {
        const auto request = keys_.request();
        if (request && request->id != id_)
            throw stop_error(fmt::format("unable to compare: another compare with worker '{}' began", options_.worker),
                             "Run one at a time.");
    }

    const CompareOptions& options_;
    CompareKeys keys_;
    WorkerRegistry registry_;
    const Log& log_;
    const std::stop_token& stop_;
    std::string id_;
};

std::vector<sql::Connection> connect_all(const sql::ConnectOptions& options, int count, const std::stop_token& stop) {
    std::vector<sql::Connection> connections;
    for (int i = 0; i < count; ++i) connections.push_back(connect_end(options, stop));
    return connections;
}

constexpr const char* begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

void import(std::span<sql::Connection> connections, const std::string& snapshot) {
    for (sql::Connection& connection : connections)
        connection.exec(fmt::format("{}; SET TRANSACTION SNAPSHOT {}", begin, sql::quote_literal(snapshot)),
                        "import the snapshot");
}

// Creating a slot waits for transactions that are open; the worker does not wait that long for us.
sql::CreatedSlot create_slot(sql::ReplicationConnection& creator, const std::string& name) {
    const auto deadline = Clock::now() + slot_limit;
    try {
        return creator.create_slot(name, sql::SlotLife::temporary, sql::SlotSnapshot::exported, [&] {
            if (Clock::now() > deadline) creator.connection().cancel();
        });
    } catch (const SqlError& error) {
        if (error.sqlstate() != "57014") throw;  // cancelled
        throw NotMet{"transactions on the source that had written were open for too long"};
    }
}

// Waits as long as that takes, without holding the worker.
void outwait_writers(sql::ReplicationConnection& creator, const std::string& name, sql::Connection& observer,
                     const Log& log) {
    const std::string pid = std::to_string(creator.connection().backend_pid());
    auto next_say = Clock::now() + std::chrono::seconds(3);
    creator.create_slot(name, sql::SlotLife::temporary, sql::SlotSnapshot::nothing, [&] {
        if (Clock::now() < next_say) return;
        next_say = Clock::now() + say_wait_every;
        const auto whom = observer.query("SELECT array_to_string(pg_blocking_pids($1::int), ', ')", {pid}, {1, 1, 1});
        log(LogLevel::info,
            fmt::format("waiting for open transactions of the source that have written: pid {}", whom.text(0, 0)));
    });
    creator.drop_slot(name);
}

// On a source where nothing is written, the stream says only every few seconds that the log has moved. A message in the
// log brings it there at once; where the role may not write one, that takes a little longer.
void move_the_log(sql::ReplicationConnection& creator) {
    try {
        creator.connection().exec(
            fmt::format("SELECT pg_catalog.pg_logical_emit_message(false, '{}', '')", log_moved_prefix));
    } catch (const SqlError& error) {
        if (error.sqlstate() != "42501") throw;
    }
}

// Nothing rewrites the tables from here on; what did since the snapshot is found out.
void lock(sql::Connection& connection, std::span<const ComparedTable> tables,
          std::vector<RowStore> ComparedTable::*stores) {
    std::vector<std::string> names;
    std::vector<std::string> oids;
    for (const ComparedTable& table : tables) {
        for (const RowStore& store : table.*stores) {
            names.push_back(store.from);
            oids.push_back(std::to_string(store.oid));
        }
    }
    if (names.empty()) return;
    connection.exec("SET LOCAL lock_timeout = '5s'");
    try {
        connection.exec(fmt::format("LOCK TABLE {} IN ACCESS SHARE MODE", fmt::join(names, ", ")),
                        "lock the tables to compare");
    } catch (const SqlError& error) {
        if (!sql::is_lock_timeout(error)) throw;
        throw NotMet{"another session held a lock on one of the tables"};
    }
    const auto rewritten = connection.query(
        "SELECT c.relname FROM pg_class c WHERE c.oid = ANY ($1::oid[]) AND c.relfilenode IS DISTINCT FROM "
        "pg_relation_filenode(c.oid) LIMIT 1",
        {fmt::format("{{{}}}", fmt::join(oids, ","))}, {1, 0, 1});
    if (rewritten.rows() == 1) throw NotMet{fmt::format("table '{}' was rewritten just then", rewritten.text(0, 0))};
}

// The snapshot's own word for how far the worker was.
void check_progress(sql::Connection& target, const CompareOptions& options, Lsn lsn) {
    const auto never = [&] {
        return stop_error(fmt::format("unable to compare: worker '{}' of group '{}' has never written to this target",
                                      options.worker, options.names.group),
                          "Give the --target-url that the worker has.");
    };
    if (!target.query("SELECT to_regclass('pgsluice.progress') IS NOT NULL", {}, {1, 1, 1}).boolean(0, 0))
        throw never();
    const auto row =
        target.query("SELECT position_lsn, loading_epoch FROM pgsluice.progress WHERE \"group\" = $1 AND worker = $2",
                     {options.names.group, options.worker}, {2, 0, 1});
    if (row.rows() == 0) throw never();
    if (row.integer(0, 1) != 0)
        throw stop_error(fmt::format("unable to compare: worker '{}' is in the middle of a snapshot", options.worker),
                         "Run it again once the worker's log says that the snapshot is complete.");
    if (parse_lsn(row.text(0, 0)).value_or(Lsn{}) >= lsn)
        throw NotMet{"the worker continued before the target's snapshot was taken"};
}

// Which must have been copied.
ChosenTables copied_first(const CompareOptions& options, std::span<const ComparedTable> tables) {
    if (options.whole_group_copied) return std::nullopt;
    std::set<Oid> stores;
    for (const ComparedTable& table : tables)
        for (const RowStore& store : table.source) stores.insert(store.oid);
    return stores;
}

// The tables were chosen before this snapshot: one may have left the publication in between, as a partition that is
// detached does, and is not kept equal then.
void check_published(sql::Connection& source, const CompareOptions& options, std::span<const ComparedTable> tables) {
    std::vector<std::string> oids;
    for (const ComparedTable& table : tables)
        for (const RowStore& store : table.source) oids.push_back(std::to_string(store.oid));
    const auto left = source.query(
        "SELECT o::pg_catalog.regclass FROM pg_catalog.pg_publication p, pg_catalog.unnest($1::pg_catalog.oid[]) o "
        "WHERE p.pubname = $2 AND NOT EXISTS (SELECT FROM pg_catalog.pg_get_publication_tables(p.pubname::pg_catalog"
        ".text) t WHERE t.relid = o OR t.relid IN (SELECT a.relid FROM pg_catalog.pg_partition_ancestors(o) a)) "
        "LIMIT 1",
        {fmt::format("{{{}}}", fmt::join(oids, ",")), options.names.publication}, {1, 0, 1});
    if (left.rows() == 1)
        throw stop_error(fmt::format("unable to compare: table '{}' has left the publication", left.text(0, 0)),
                         "Run it again when the replicator has noticed that, which takes it ten seconds at most.");
}

void read_target(BothEnds& ends, const CompareOptions& options, std::span<const ComparedTable> tables) {
    sql::Connection& first = ends.target[0];
    first.exec(begin);
    const auto snapshot = first.query("SELECT pg_export_snapshot()", {}, {1, 1, 1});
    import(std::span(ends.target).subspan(1), snapshot.text(0, 0));
    check_progress(first, options, ends.lsn);
    for (sql::Connection& connection : ends.target) lock(connection, tables, &ComparedTable::target);
}

BothEnds attempt(const CompareOptions& options, std::span<const ComparedTable> tables, Broker& broker, const Log& log,
                 const std::stop_token& stop, const std::function<void(BothEnds&)>& while_held) {
    BothEnds ends;
    ends.source = connect_all(options.source, options.connections, stop);
    ends.target = connect_all(options.target, options.connections, stop);
    sql::ReplicationConnection creator(options.source, stop);
    const std::string slot = fmt::format("{}_compare_{}", options.names.slot, random_id().substr(4));
    outwait_writers(creator, slot, ends.source[0], log);

    Agreement agreement(options, broker, log, stop);
    agreement.wait_until_held();
    const auto created = create_slot(creator, slot);
    ends.lsn = created.consistent_point;
    import(ends.source, created.snapshot);
    creator.drop_slot(slot);
    move_the_log(creator);
    for (sql::Connection& connection : ends.source) lock(connection, tables, &ComparedTable::source);
    check_published(ends.source[0], options, tables);
    agreement.wait_until_at(ends.lsn);
    read_target(ends, options, tables);
    if (const auto table = uncopied(broker, options.names, copied_first(options, tables), ends.lsn); !table.empty())
        throw NotMet{fmt::format("the rows of {} were being copied", table)};
    if (while_held) while_held(ends);
    agreement.end();
    return ends;
}

}  // namespace

sql::Connection connect_end(const sql::ConnectOptions& options, const std::stop_token& stop) {
    sql::Connection connection(options, stop);
    connection.exec("SET max_parallel_workers_per_gather = 0");
    return connection;
}

BothEnds meet_at_one_lsn(const CompareOptions& options, std::span<const ComparedTable> tables, Broker& broker,
                         const Log& log, const std::stop_token& stop,
                         const std::function<void(BothEnds&)>& while_held) {
    for (int n = 1;; ++n) {
        await_copies(broker, options.names, copied_first(options, tables), log, stop);
        try {
            return attempt(options, tables, broker, log, stop, while_held);
        } catch (const NotMet& failure) {
            if (n == attempts)
                throw stop_error(fmt::format("unable to compare at one LSN: {}, {} times", failure.reason, attempts),
                                 "Run it again when less is written.");
            log(LogLevel::info, fmt::format("trying again to reach one LSN: {}", failure.reason));
        }
    }
}

}  // namespace pgsluice
