// What pg_dump says of the source's tables and of what they need: --target-schema-from pg_dump.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "sinks/options.h"
#include "sinks/postgres/schema/definition_entries.h"
#include "sinks/postgres/schema/schema_entry.h"
#include "sinks/postgres/target.h"
#include "sql/connection.h"
#include "stream/change.h"

namespace pgsluice {

class DumpedSchema {
   public:
    // `tell` is called several times a second while pg_dump runs.
    DumpedSchema(const PostgresSinkOptions& options, std::stop_token stop, const std::function<void()>& tell)
        : options_(options), stop_(std::move(stop)), tell_(tell) {}

    // What the tables and `types` need, and the tables, without what is made after the load. A column that does not
    // come with the rows allows NULL and has no default. A retry Error that names the session that locks them.
    std::vector<SchemaEntry> before_load(sql::Connection& source, const std::vector<const Relation*>& relations,
                                         const std::vector<Oid>& types);
    EntriesAfterLoad after_load(sql::Connection& source, const std::vector<TableName>& tables);

   private:
    // What pg_dump must be told to take.
    std::vector<std::string> selection(sql::Connection& source, const std::vector<TableName>& tables);
    std::vector<SchemaEntry> dump(sql::Connection& source, const std::vector<TableName>& tables,
                                  std::vector<std::string> arguments);
    std::string dump_or_name_locker(sql::Connection& source, const std::vector<TableName>& tables,
                                    const std::vector<std::string>& arguments);
    EmptyColumns left_out(sql::Connection& source, const std::vector<const Relation*>& tables);

    const PostgresSinkOptions& options_;
    std::stop_token stop_;
    const std::function<void()>& tell_;
};

}  // namespace pgsluice
