// Applies a batch as sets: few statements over arrays, and one round trip with BEGIN, progress and COMMIT.
//
// It is optimistic. Every statement fails when the target is not as the source thinks (a row to update is missing, a
// key exists), and so does the rest of the pipeline; then all is rolled back to where the batch began, and the caller
// applies it in source order, row by row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sinks/postgres/apply/net_changes.h"
#include "sinks/postgres/apply/prepared_statements.h"
#include "sinks/postgres/apply/rows.h"
#include "sinks/postgres/apply/segment.h"
#include "sinks/postgres/apply/statement_parameters.h"
#include "sinks/postgres/history/versions.h"
#include "sinks/postgres/progress.h"
#include "sinks/postgres/session.h"
#include "sinks/postgres/statements.h"
#include "sinks/postgres/target_mappings.h"
#include "sql/pipeline.h"

namespace pgsluice {

class ApplySet {
   public:
    // Thresholds as measured: below, a statement per row; a COPY for inserts from here on.
    static constexpr std::size_t max_single_rows = 3;
    static constexpr std::size_t min_copy_rows = 2000;

    ApplySet(PostgresSession& session, PostgresProgress& progress, TargetMappings& mappings,
             const PostgresSinkOptions& options)
        : session_(session), progress_(progress), mappings_(mappings), options_(options) {}

    // Begins a transaction unless one is open (then a savepoint), applies, and with `next` moves the progress and
    // commits. False: rolled back, apply the changes one by one; reason() tells why. Throws where that would not help.
    bool apply(const std::vector<Change>& changes, bool transaction_open, const SinkState* next,
               ConflictCounts& counts);
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

   private:
    bool try_apply(const std::vector<Change>& changes, bool transaction_open, const SinkState* next,
                   ConflictCounts& counts);

    // What a reply means.
    struct Expected {
        enum class What : std::uint8_t { nothing, prepare, upsert, update, remove, progress, glance, look };
        What what = What::nothing;
        Prepared* prepared = nullptr;
        TableStatements* statements = nullptr;  // of an insert: where its failure counts
        std::uint64_t rows = 0;
        Oid table = 0;  // of a lock or a look
    };

    bool possible(std::span<const Segment> segments);
    void learn_tied(std::span<const Segment> segments);
    void queue_start(bool transaction_open);
    void queue_end(const SinkState* next);
    void look_at(const TargetMapping& mapping);
    void write(const TableChanges& table);
    bool fold(const TableChanges& table);
    void write_in_order(TableStatements& statements, const TableChanges& table);
    void write_versions(TableStatements& statements, const TableChanges& table);
    void write_versions(TableStatements& statements, StatementKind one, StatementKind many, const ColumnSet& sent,
                        std::span<const Row> rows);
    void truncate(const Change& change);

    void insert_rows(TableStatements& statements, std::span<const Row> rows);
    void copy_rows_in(TableStatements& statements, std::span<const Row> rows);
    void update_rows(TableStatements& statements, std::span<const NetChanges::Update> updates);
    void update_rows(TableStatements& statements, const ColumnSet& sent, std::span<const Row> rows);
    void delete_rows(TableStatements& statements, std::span<const Row> rows, std::size_t passing);
    [[nodiscard]] static bool singly(const TableStatements& statements, std::size_t rows);
    [[nodiscard]] OnConflict on_conflict(const TargetMapping& mapping) const;
    [[nodiscard]] Conflict conflict_of(const TableStatements& statements) const;

    TableStatements& statements_of(const std::shared_ptr<TargetMapping>& mapping);
    Prepared& prepared(TableStatements& statements, StatementKind kind, const ColumnSet& sent,
                       Arrays arrays = Arrays::texts);
    // Values come from `row`, keys from `key_row`.
    void run_one(Prepared& prepared, Row row, Row key_row, Expected expected);
    // As many rows as fit into one statement; how many that were.
    std::size_t run_many(TableStatements& statements, StatementKind kind, const ColumnSet& sent,
                         std::span<const Row> rows, bool counted, Expected expected);
    void expect(std::size_t index, Expected expected);
    void send_values(Prepared& prepared, Expected expected);
    void make_ready(Prepared& prepared);
    // Reads the answers; false when one failed or an update has not found its rows.
    bool read_replies();
    void blame(const Expected& expected, const SqlError& error);

    PostgresSession& session_;
    PostgresProgress& progress_;
    TargetMappings& mappings_;
    const PostgresSinkOptions& options_;

    PreparedStatements statements_;
    std::uint64_t batch_ = 0;
    bool commits_ = false;  // the batch's pipeline ends with its COMMIT
    Prepared look_statement_{{require_no_foreign_code_statement(), {}, {}}, "pgsluice_look", false};
    Prepared glance_statement_{{require_no_code_statement(), {}, {}}, "pgsluice_glance", false};
    std::set<const TargetMapping*> looked_at_;  // in this pipeline
    bool look_closer_ = false;                  // a glance did not do
    Prepared progress_statement_{{PostgresProgress::move_statement(), {}, {}}, "pgsluice_progress", false};

    std::optional<sql::Pipeline> pipeline_;
    std::vector<Expected> expected_;
    ConflictCounts counts_;
    std::string reason_;

    // Reused from batch to batch.
    PostgresSegments segments_;
    NetChanges fold_;
    Versions versions_;
    StatementParameters parameters_;
    std::vector<Row> rows_;
    std::string copy_text_;
};

}  // namespace pgsluice
