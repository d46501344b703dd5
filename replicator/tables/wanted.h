// The tables that the options mean, with what inherits from them, resolved again and again while the group runs.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "replicator/options.h"
#include "replicator/source/table_selection.h"
#include "replicator/tables/reconcile.h"
#include "sql/catalog.h"
#include "sql/connection.h"
#include "stream/base/log.h"
#include "stream/group/table_record.h"

namespace pgsluice {

class WantedTables {
   public:
    explicit WantedTables(const ReplicatorOptions& options) : options_(options), selection_(selection_of(options)) {}

    // A stop Error when a table that was named is missing.
    std::vector<sql::CatalogTable> resolve(sql::Connection& source, const Log& log);
    // For a group that runs: a named table that is missing is left out and the log told once; with DDL tracking one
    // that was renamed, while no other has taken its name, is kept. Says nothing that it has said before.
    std::vector<sql::CatalogTable> resolve_present(sql::Connection& source, const Log& log);

    // A table that the options mean by now, and that was not among those resolved last. Says it twice at most, however
    // many there are: a source may make tables all the time.
    std::optional<QualifiedName> made_since(sql::Connection& source);

    // What differs between the record and the catalog with these tables.
    [[nodiscard]] std::vector<Finding> reconcile_with(sql::Connection& source, const std::map<Oid, TableRecord>& record,
                                                      const std::vector<sql::CatalogTable>& tables) const;

    // Whether the options mean a table of that name; what inherits from such a table they do not.
    [[nodiscard]] bool takes(const QualifiedName& name) const { return selection_.takes(name.schema, name.table); }

    // Logs a line that it has not logged before.
    void say_once(const Log& log, LogLevel level, const std::string& text);

   private:
    void remember(const std::vector<sql::CatalogTable>& tables);
    std::vector<sql::CatalogTable> with_children_of(sql::Connection& source,
                                                    const std::vector<sql::CatalogTable>& tables, const Log& log);
    std::vector<sql::CatalogTable> one_by_one(sql::Connection& source, const Log& log);

    const ReplicatorOptions& options_;
    TableSelection selection_;
    std::map<std::string, Oid> resolved_;  // what each named table was the last time, by its text in the options
    std::set<std::string> said_;
    std::set<Oid> last_;  // of the tables resolved last
    int said_made_ = 0;
};

}  // namespace pgsluice
