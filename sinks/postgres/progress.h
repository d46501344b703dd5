// The worker's row in pgsluice.progress on the target: how far it is, and that no other worker writes.
//
// Two fences. An advisory lock keeps a second worker of the same name out while this one is connected. And since that
// lock dies with its connection, every write of the row is conditional on the owner's token and on the old value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sinks/sink.h"
#include "sql/connection.h"
#include "stream/base/log.h"

namespace pgsluice {

// Of a direct snapshot, whose rows have no sequences in the stream: recorded under numbers above all of these.
struct LoadedRange {
    static constexpr std::uint64_t first_number = 1ULL << 62;
    static constexpr std::uint64_t all = first_number + (1ULL << 61);  // every range is loaded, and lasts

    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
};

class PostgresProgress {
   public:
    PostgresProgress(sql::Connection& connection, std::string group, std::string worker);

    // A stop Error when someone else made these tables, or what hangs on them: it would run with our rights. Ask before
    // any of them is used. What is missing is no error.
    static void require_owned(sql::Connection& connection);

    // The same, and when some of it is missing and the role may not make it; makes nothing.
    static void check_creatable(sql::Connection& connection);

    // Whether the worker has got anywhere on this target; nothing is made.
    static bool has_moved(sql::Connection& connection, const std::string& group, const std::string& worker);

    // Removes all that is noted of the worker, its progress last: while that exists, an attempt that was killed can be
    // repeated.
    static void erase(sql::Connection& connection, const std::string& group, const std::string& worker);

    // Creates schema and tables where missing, waits for the lock at most this long (then a retry Error naming who
    // holds it), and makes the row ours.
    std::optional<SinkState> open(int lock_wait_ms);

    [[nodiscard]] const SinkState& state() const noexcept { return state_; }
    // The same with another checkpoint.
    [[nodiscard]] SinkState at(const Checkpoint& checkpoint) const;
    [[nodiscard]] const std::string& owner() const noexcept { return owner_; }

    // Sink::reads(): written with every move.
    bool reads(const std::string& stream);

    // Up to which LSN of the source commands may be contained in a schema that was copied from it. Written in `other`'s
    // own transaction, since ours may be rolled back.
    [[nodiscard]] Lsn schema_upto() const noexcept { return schema_upto_; }
    void note_schema(sql::Connection& other, Lsn upto);

    // Advances the row in the open transaction; a stop Error when another worker did. Once that transaction has
    // committed, moved() makes `next` the value to start from.
    void move(const SinkState& next);
    void moved(const SinkState& next) { state_ = next; }

    // The same as one prepared statement for a pipeline: its text and its parameters. It fails (division by zero) where
    // move() would.
    [[nodiscard]] static std::string move_statement();
    [[nodiscard]] std::vector<std::string> move_parameters(const SinkState& next) const;
    [[nodiscard]] Error stolen() const;

    // What the epoch being loaded has loaded: the first sequences of its blocks.
    std::set<std::uint64_t> loaded();
    // The same of a direct snapshot, by `first_number` and the range's; with `all`, if that is recorded.
    std::map<std::uint64_t, LoadedRange> loaded_ranges();
    // In a loader's own transaction: fails unless we still own the row, and keeps it ours until the transaction's end.
    static void fence(sql::Connection& loader, const PostgresProgress& progress);
    static void record_loaded(sql::Connection& loader, const PostgresProgress& progress, std::uint64_t epoch,
                              const std::vector<std::uint64_t>& first_seqs);
    // Forgets records of blocks before `before` (of all, when nothing), in the open transaction.
    void forget_loaded(std::optional<StreamSeq> before);
    // Where the epoch being loaded writes and nothing was before (OwnRows::text()): what the next epoch can empty.
    std::vector<std::string> loading_tables();
    void set_loading_tables(const std::vector<std::string>& tables);
    // What the last snapshot to begin did with rows that were there: "error", "truncate" or "keep"; empty when that is
    // not known or none has begun. Set in the open transaction.
    [[nodiscard]] const std::string& existing_rows() const noexcept { return existing_rows_; }
    void set_existing_rows(std::string_view what);
    // Sink::table_notes() and note_tables(), in `writer`'s transaction or one of its own.
    std::map<Oid, std::string> table_notes();
    // The same for who only reads: of any worker.
    static std::map<Oid, std::string> table_notes(sql::Connection& reader, const std::string& group,
                                                  const std::string& worker);
    static void note_tables(sql::Connection& writer, const PostgresProgress& progress,
                            const std::map<Oid, std::string>& notes) {
        note_tables(writer, progress.group_, progress.worker_, notes);
    }
    static void note_tables(sql::Connection& writer, const std::string& group, const std::string& worker,
                            const std::map<Oid, std::string>& notes);
    // Tables made in mid-stream whose indexes, constraints and triggers are not all there yet: source's oid, schema and
    // table of the target. Noted before a table is made, in `other`'s own transaction, since ours may be rolled back.
    std::vector<RelationPtr> unfinished();
    static void note_unfinished(sql::Connection& other, const PostgresProgress& progress,
                                const std::vector<const Relation*>& tables);
    void forget_unfinished();
    // In `writer`'s open transaction: the change at this position is in the dead letters and not in the target. A
    // letter that is not noted, because its transaction was rolled back after it was parked, is not to be replayed.
    static void note_parked(sql::Connection& writer, const PostgresProgress& progress, const Change& change);
    // In the open transaction: what was parked of these tables is void; null ones are skipped.
    void forget_parked(const std::vector<RelationPtr>& tables);
    // Tables (quoted and qualified) that this worker has ever written to.
    std::set<std::string> written_tables();
    void note_written(const std::vector<std::string>& tables);

   private:
    void create_tables();
    void lock(int wait_ms);

    sql::Connection& connection_;
    std::string group_;
    std::string worker_;
    std::string owner_;
    std::string stream_;  // that the state comes from; empty when not known
    std::string existing_rows_;
    SinkState state_;
    Lsn schema_upto_;
};

}  // namespace pgsluice
