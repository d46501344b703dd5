// A snapshot's way into the target: which tables it fills, which of its blocks are in, and what loads the others.
//
// Blocks go to a CopyLoader's connections; the sink's own connection makes the room before and ends it after.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "sinks/dead_letters.h"
#include "sinks/options.h"
#include "sinks/postgres/history/copied_versions.h"
#include "sinks/postgres/kept_rows.h"
#include "sinks/postgres/origins.h"
#include "sinks/postgres/progress.h"
#include "sinks/postgres/row_claims.h"
#include "sinks/postgres/session.h"
#include "sinks/postgres/snapshot/begin_and_end.h"
#include "sinks/postgres/snapshot/copy_loader.h"
#include "sinks/postgres/snapshot/direct_load.h"
#include "sinks/postgres/target_mappings.h"
#include "sinks/sink.h"

namespace pgsluice {

// What the snapshot's blocks need of the sink. All must outlive the load.
struct SnapshotLoadParts {
    const PostgresSinkOptions& options;
    const Log& log;
    PostgresSession& session;
    PostgresProgress& progress;
    TargetMappings& mappings;
    TargetOrigins& origins;
    RowClaims& claims;
    DeadLetters* dead_letters;
};

class SnapshotLoad {
   public:
    SnapshotLoad(const SnapshotLoadParts& parts, std::stop_token stop) : parts_(parts), stop_(std::move(stop)) {}

    void while_waiting(std::function<void()> tell) { tell_ = std::move(tell); }
    // After the progress was read: the blocks that earlier runs loaded.
    void open();
    // The next begin() throws away what is there, whatever the options say.
    void start_over() { starts_over_ = true; }
    // By index in the snapshot's tables: other tables that fill the same target.
    void shares_targets(const std::map<std::uint32_t, std::set<std::string>>& others) { shared_ = others; }

    // Names the tables of the snapshot that begins; null: routed away. Returns whether the begin marker at `seq` is
    // only another one of the snapshot that is being loaded; its place is noted then, and there is no begin().
    bool continues(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables, StreamSeq seq);
    // Between these, where rows are in the way of tables that are to be made: empties what begin() will empty. Whether
    // there was anything.
    bool empty_ahead(const SnapshotBegin& begin);
    // Makes room for the rows and starts the epoch. Throws a stop Error as prepare_snapshot() does.
    void begin(const SnapshotBegin& begin, const Checkpoint& upto);
    [[nodiscard]] bool running() const { return parts_.progress.state().loading_epoch != 0; }
    [[nodiscard]] const std::vector<RelationPtr>& tables() const { return tables_; }

    // Of a direct snapshot, before continues() and begin(): LoadsDirectly::open_source().
    bool open_source(const SnapshotBegin& begin, const DirectPlan& plan, const std::string& source);
    // LoadsDirectly::load_directly().
    bool load_directly(const std::vector<DirectTable>& tables,
                       const std::function<bool(const std::vector<DirectRange>&)>& tell);

    // Blocks while too much waits. A retry or stop Error of a loader comes out of this call or of a later one.
    void add(const CopyBlock& block);
    // Blocks up to here were applied by the sink itself, through its rules.
    void passed(StreamSeq last) { last_block_ = std::max(last_block_, last); }
    // Returns when everything added is committed.
    void await_loaded();
    // Throws what a loader failed with.
    void check();
    // Lets the stream be trimmed up to what is loaded; false: no further than before.
    bool move_on();

    // Everything is loaded, and the loader's connections are closed.
    void close_loader();
    // `within`: what is written in the same transaction.
    void end(const Checkpoint& upto, const std::function<void()>& within);

   private:
    void note_begin(StreamSeq marker);
    SnapshotTargets look_at_targets(const SnapshotBegin& begin);
    void warn_of_kept(const SnapshotBegin& begin) const;
    void tell_of_kept();
    CopyLoader& loader();
    [[nodiscard]] std::vector<DirectTarget> direct_targets(const std::vector<DirectTable>& tables);
    [[nodiscard]] std::vector<DirectRange> loaded_before(const DirectPlan& plan) const;
    void note_all_loaded();

    const SnapshotLoadParts parts_;
    KeptRows kept_rows_{parts_.session, parts_.options};
    CopiedVersions versions_{parts_.session, parts_.mappings, parts_.options};
    std::int64_t time_us_ = 0;  // of the snapshot
    std::set<Oid> kept_;        // while it runs
    const std::stop_token stop_;
    std::function<void()> tell_ = [] {};
    std::unique_ptr<CopyLoader> loader_;
    std::set<std::uint64_t> already_loaded_;
    std::vector<RelationPtr> tables_;
    // Of a direct snapshot that is to be loaded.
    struct Direct {
        DirectPlan plan;
        std::map<std::uint64_t, LoadedRange> loaded;  // by earlier runs, by the range's number
        std::optional<SourceReaders> readers;         // nothing: all is loaded
    };
    std::optional<Direct> direct_;
    StreamSeq last_block_;  // the last sequence that came
    bool starts_over_ = false;
    std::map<std::uint32_t, std::set<std::string>> shared_;
};

}  // namespace pgsluice
