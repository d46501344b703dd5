// A connection that loads rows of a snapshot into the target's tables. Each of its transactions holds rows of one table
// and the record of what they were (pgsluice.loaded), fenced by the owner's token: all of it is there after a crash, or
// nothing. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/options.h"
#include "sinks/postgres/origins.h"
#include "sinks/postgres/progress.h"
#include "sinks/postgres/session.h"
#include "sinks/postgres/target_mapping.h"

namespace pgsluice {

// What all loaders of a snapshot share; outlives them.
struct LoadedSnapshot {
    const PostgresSinkOptions& options;
    TargetOrigins& origins;
    const PostgresProgress& progress;
    std::uint64_t epoch = 0;
    std::set<Oid> kept;  // KeptRows
};

class TableLoader {
   public:
    TableLoader(const LoadedSnapshot& snapshot, std::stop_token stop);

    void begin(const TargetMapping& mapping);
    void roll_back();
    // With the record of what is loaded: blocks, by their sequences, or a page range (LoadedRange).
    void commit(const std::vector<std::uint64_t>& loaded);

    // What is merged into the table after the COPY; empty where COPY writes to the table itself. Outside a COPY.
    std::string staging(const TargetMapping& mapping);
    sql::CopyIn copy_in(const TargetMapping& mapping, const std::string& staging);
    // Lines of the relation's columns; leaves out those that the target computes itself.
    static void write(sql::CopyIn& copy, const TargetMapping& mapping, std::string_view lines);
    void merge(const TargetMapping& mapping, const std::string& staging);

    [[nodiscard]] sql::Connection& connection() noexcept { return session_.connection; }

   private:
    [[nodiscard]] bool merges(const TargetMapping& mapping) const;

    const LoadedSnapshot& snapshot_;
    PostgresSession session_;
    std::set<std::string> staged_;      // staging tables that exist in this session
    std::optional<std::string> owner_;  // as whom this transaction writes; nothing: as ourselves
};

// What to say of rows of this table that the target has refused; `way_out` where the row itself is to blame.
SqlError refused_load(const TargetMapping& mapping, const SqlError& error, const std::string& way_out);

}  // namespace pgsluice
