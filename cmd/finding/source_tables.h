// The tables of a source that a command looks at, and what the catalog and some rows of them say.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "replicator/options.h"
#include "replicator/source/tables.h"
#include "rules/keys/inherited_rules.h"
#include "rules/personal/inspection.h"
#include "sql/catalog.h"
#include "sql/connection.h"
#include "stream/base/log.h"

namespace pgsluice {

// Those that are chosen; by default also those that are named with a schema, as files do ("crm.notes").
std::vector<sql::CatalogTable> chosen_tables(sql::Connection& connection, const TableChoice& choice,
                                             const std::vector<std::string>& named, const Log& log);

// Of these tables.
rules::ForeignKeys foreign_keys_of(sql::Connection& connection, std::span<const SourceTable> tables);

// Rows of one table as PostgreSQL's text. The values point into it.
struct SampledRows {
    sql::Result result;
    std::deque<std::vector<Value>> rows;
};

// A connection that only reads.
class SourceSampler {
   public:
    SourceSampler(const sql::ConnectOptions& source, std::stop_token stop);

    // Partitions are rows of their root.
    std::vector<SourceTable> tables(const TableChoice& choice, const std::vector<std::string>& named, const Log& log);
    rules::ForeignKeys foreign_keys(std::span<const SourceTable> tables) {
        return foreign_keys_of(connection_, tables);
    }
    // By the relation's columns.
    std::vector<rules::ColumnFacts> facts(const Relation& relation);
    // Why rows of the table cannot be taken: a query on it would run a user's code with our rights. Empty: they can.
    std::string refusal(const SourceTable& table);
    // At most so many rows, from pages all over the table where it is large. A value of more than 64 KiB as it is
    // stored is left out (NULL).
    SampledRows sample(const SourceTable& table, std::size_t rows);

   private:
    sql::Connection connection_;
};

// The file, and what the foreign keys of all the source's tables make of it.
rules::RulesFile with_inherited(const rules::RulesFile& file, const sql::ConnectOptions& source,
                                const std::stop_token& stop);

}  // namespace pgsluice
