// The statements by which batches are written as sets, each built once for a table and prepared once in a session.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>

#include "sinks/postgres/statements.h"
#include "sinks/postgres/target_mapping.h"

namespace pgsluice {

enum class StatementKind : std::uint8_t {
    insert_one,
    update_one,
    move_one,
    delete_one,
    insert_many,
    update_many,
    update_piece,  // what is not committed in the same pipeline: its count is looked at there
    delete_many,
    // of a table whose history is kept (version_statements.h)
    insert_version,
    insert_versions,
    update_version,
    update_versions,
    move_version,
    remove_version,
    remove_versions
};

struct Prepared {
    Statement statement;
    std::string name;
    bool ready = false;  // the server has it
};

struct TableStatements {
    std::shared_ptr<TargetMapping> mapping;
    std::map<std::tuple<StatementKind, ColumnSet, Arrays>, Prepared> prepared;
    std::uint64_t upsert_until = 0;  // the batch up to which inserts expect to meet rows
};

class PreparedStatements {
   public:
    using Deallocate = std::function<void(const std::string& name)>;

    // Drops those of relations that are gone when it meets a new one, and hands the names to `deallocate`.
    TableStatements& of(const std::shared_ptr<TargetMapping>& mapping, const Deallocate& deallocate);
    // `conflict` is what an insert does; an upserting one is another statement than a plain one. `arrays` counts for
    // inserts, updates and deletes of many rows.
    Prepared& get(TableStatements& statements, StatementKind kind, const ColumnSet& sent, Conflict conflict,
                  Arrays arrays);

   private:
    std::unordered_map<const TargetMapping*, TableStatements> statements_;
    std::uint64_t made_ = 0;
};

}  // namespace pgsluice
