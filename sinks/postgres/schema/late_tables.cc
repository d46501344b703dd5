#include "sinks/postgres/schema/late_tables.h"

#include <utility>

#include "stream/base/failpoint.h"

namespace pgsluice {

std::vector<const Relation*> pointers(const std::vector<RelationPtr>& tables) {
    std::vector<const Relation*> all;
    for (const RelationPtr& table : tables) {
        if (table) all.push_back(table.get());
    }
    return all;
}

void LateTables::create_missing(const std::vector<const Relation*>& relations, bool in_transaction) {
    std::vector<const Relation*> missing;
    std::vector<TableName> names;
    for (const Relation* relation : relations) {
        TableName name(relation->schema, relation->table);
        if (!found_.insert(name).second) continue;
        if (find_target_table(target_, name.first, name.second)) continue;
        missing.push_back(relation);
        names.push_back(std::move(name));
    }
    if (missing.empty()) return;
    {
        sql::Connection other(options_.target, stop_);
        PostgresProgress::note_unfinished(other, progress_, missing);
    }
    schema_.create_tables(missing);
    PGSLUICE_FAILPOINT("postgres-tables-created");
    // Tables written by our open transaction are locked until it ends: foreign keys to them can only be made then.
    schema_.create_rest(names, missing, !in_transaction);
    schema_.set_sequences(names);
    if (in_transaction)
        unfinished_ = progress_.unfinished();
    else
        progress_.forget_unfinished();
}

void LateTables::finish_noted() {
    unfinished_ = progress_.unfinished();
    finish();
}

void LateTables::finish() {
    if (unfinished_.empty()) return;
    PGSLUICE_FAILPOINT("postgres-unfinished");
    const auto relations = pointers(unfinished_);
    const auto names = names_of(relations);
    schema_.create_rest(names, relations);
    schema_.set_sequences(names);
    progress_.forget_unfinished();
    unfinished_.clear();
}

}  // namespace pgsluice
