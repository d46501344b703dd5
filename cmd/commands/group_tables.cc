#include "cmd/commands/group_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "replicator/source/column_types.h"
#include "replicator/source/publication.h"
#include "replicator/source/table_selection.h"
#include "replicator/source/tables.h"
#include "rules/rules_files.h"
#include "sql/catalog.h"
#include "sql/error.h"
#include "stream/group/source_rules.h"
#include "stream/group/table_record.h"
#include "worker/compare/cut.h"

namespace pgsluice {

namespace {

// What the group has delivered by its record. Of a group of an older version, which kept none, what is published.
std::vector<sql::CatalogTable> tables_of_group(sql::Connection& source, Broker& broker, const Names& names) {
    std::vector<sql::CatalogTable> tables;
    if (const auto record = find_table_records(broker, names)) {
        std::set<Oid> delivered;
        for (const auto& [oid, entry] : *record)
            if (entry.active()) delivered.insert(entry.delivered_oid);
        tables = sql::tables_of(source, std::vector<Oid>(delivered.begin(), delivered.end()));
    } else {
        tables = published_tables(source, names.publication);
    }
    if (tables.empty())
        throw stop_error(fmt::format("unable to compare: the source has no tables of group '{}'", names.group),
                         "Give the source and the group of the replicator.");
    return tables;
}

bool is_published_by_root(sql::Connection& source, const Names& names) {
    const auto row =
        source.query("SELECT pubviaroot FROM pg_publication WHERE pubname = $1", {names.publication}, {1, 0, 1});
    return row.rows() == 1 && row.boolean(0, 0);
}

// A partition is taken with the table it belongs to.
bool takes(const TableSelection& selection, const Relation& relation) {
    if (selection.excludes(relation.schema, relation.table)) return false;
    return selection.takes(relation.schema, relation.table) ||
           std::ranges::any_of(relation.ancestors,
                               [&](const QualifiedName& above) { return selection.takes(above.schema, above.table); });
}

// Marks those that are chosen: by default all that the group has.
void choose(std::vector<PublishedTable>& tables, TableChoice choice) {
    if (choice.by_default()) choice.all_schemas = true;
    const TableSelection selection = selection_of(choice);
    for (PublishedTable& table : tables) table.chosen = takes(selection, *table.relation);
    for (const TablePattern& pattern : selection.wanted) {
        const auto matches = [&](const std::string& schema, const std::string& table) {
            return pattern.matches(schema, table);
        };
        const bool found = std::ranges::any_of(tables, [&](const PublishedTable& table) {
            return matches(table.relation->schema, table.relation->table) ||
                   std::ranges::any_of(table.relation->ancestors,
                                       [&](const QualifiedName& above) { return matches(above.schema, above.table); });
        });
        if (!found)
            throw stop_error(fmt::format("unable to compare '{}': the group does not replicate it", pattern.name()),
                             "Correct --tables.");
    }
}

// Of such a group a row of the source is compared as its replicator publishes it, and --repair writes it so.
void require_source_rules(const Settings& settings, Broker& broker) {
    const Names& names = settings.replicator.names;
    const auto record = find_source_rules(broker, names);
    if (!record || rules_digest(read_rules_files({settings.worker.rules.rules_file, ""})) == record->digest) return;
    throw stop_error(fmt::format("unable to compare: the replicator of group '{}' applies rules before it publishes, "
                                 "and --rules-config is not its file",
                                 names.group),
                     "Give --rules-config the file that the replicator was started with.");
}

}  // namespace

std::vector<PublishedTable> published_of_group(const Settings& settings, const TableChoice& chosen, Broker& broker,
                                               const std::stop_token& stop) {
    require_source_rules(settings, broker);
    sql::Connection source = connect_end(settings.replicator.source, stop);
    const Names& names = settings.replicator.names;
    ColumnTypes types(source);
    std::vector<PublishedTable> tables;
    const auto group = tables_of_group(source, broker, names);
    for (SourceTable& table : tables_to_copy(source, group, is_published_by_root(source, names), types)) {
        std::vector<Oid> stores;
        for (const auto& part : table.parts) stores.push_back(part.oid);
        tables.push_back({std::make_shared<const Relation>(std::move(table.relation)), std::move(stores)});
    }
    choose(tables, chosen);
    return tables;
}

}  // namespace pgsluice
