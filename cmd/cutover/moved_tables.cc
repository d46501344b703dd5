#include "cmd/cutover/moved_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "cmd/commands/group_tables.h"
#include "cmd/cutover/write_stop.h"
#include "rules/ruleset.h"
#include "sinks/postgres/array.h"
#include "sql/error.h"
#include "sql/quote.h"
#include "stream/full_name.h"
#include "stream/group/table_record.h"

namespace pgsluice {

namespace {

std::vector<std::string> schemas_of(sql::Connection& connection, const std::vector<std::string>& tables) {
    const auto rows = connection.query(
        "SELECT DISTINCT n.nspname FROM unnest($1::text[]) t (name) JOIN pg_class c ON c.oid = to_regclass(t.name) "
        "JOIN pg_namespace n ON n.oid = c.relnamespace",
        {text_array(tables)}, {1});
    return rows.texts(0);
}

std::map<Oid, std::string> names_of(sql::Connection& connection, const std::vector<Oid>& tables) {
    const auto rows = connection.query(
        "SELECT c.oid, format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = "
        "c.relnamespace WHERE c.oid = ANY ($1::oid[])",
        {fmt::format("{{{}}}", fmt::join(tables, ","))}, {2});
    std::map<Oid, std::string> names;
    for (int row = 0; row < rows.rows(); ++row) names[static_cast<Oid>(rows.integer(row, 0))] = rows.text(row, 1);
    return names;
}

// Those of the group as the routes lead them; partitions, and tables above, by their name.
std::vector<TablePair> pairs_of(const std::vector<ComparedTable>& tables, const MovedTables& moved,
                                sql::Connection& source, sql::Connection& target) {
    std::vector<Oid> oids;
    for (const ComparedTable& table : tables)
        for (const RowStore& store : table.source) oids.push_back(store.table);
    const auto names = names_of(source, oids);
    std::vector<std::string> from;
    std::vector<std::string> to;
    for (const ComparedTable& table : tables)
        for (const RowStore& store : table.source) {
            const auto name = names.find(store.table);
            if (name == names.end()) continue;  // dropped just now
            from.push_back(name->second);
            to.push_back(sql::quote_qualified(table.schema, table.table));
        }
    const std::set<std::string> routed(from.begin(), from.end());
    for (const std::string& name : moved.source) {
        if (routed.contains(name)) continue;
        from.push_back(name);
        to.push_back(name);
    }
    const auto rows = target.query(
        "SELECT DISTINCT p.source, format('%I.%I', n.nspname, c.relname) FROM unnest($1::text[], $2::text[]) p "
        "(source, "
        "target) JOIN pg_class c ON c.oid = to_regclass(p.target) JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
        "c.oid IN (SELECT to_regclass(name) FROM unnest($3::text[]) moved (name)) ORDER BY 1, 2",
        {text_array(from), text_array(to), text_array(moved.target)}, {2});
    std::vector<TablePair> pairs;
    for (int row = 0; row < rows.rows(); ++row) pairs.push_back({rows.text(row, 0), rows.text(row, 1)});
    return pairs;
}

std::set<Oid> tables_in(const std::map<Oid, TableRecord>& record) {
    std::set<Oid> active;
    for (const auto& [oid, entry] : record)
        if (entry.active()) active.insert(oid);
    return active;
}

}  // namespace

MovedTables find_moved_tables(const Settings& settings, Broker& broker, sql::Connection& source,
                              sql::Connection& target) {
    const auto rules = Ruleset::load(settings.worker.rules);
    // First: what joins from here on is not missed by joined_since().
    const auto record = find_table_records(broker, settings.replicator.names);
    const auto published = published_of_group(settings, {}, broker, source.stop());
    const auto found = find_tables_to_compare(published, *rules, source, target);
    if (!found.left_out.empty())
        throw stop_error(fmt::format("unable to cut over: '{}' is no copy of the source's table: {}",
                                     found.left_out.front().name, found.left_out.front().reason),
                         "Mend that, or leave the table out of the group with --exclude-tables at the replicator, or "
                         "with a route that says replicate: false; then move it by hand.");
    MovedTables moved;
    std::vector<Oid> at_source;
    std::vector<Oid> at_target;
    for (const ComparedTable& table : found.tables) {
        moved.names.push_back(sql::quote_qualified(table.schema, table.table));
        for (const RowStore& store : table.source) at_source.push_back(store.oid);
        for (const RowStore& store : table.target) at_target.push_back(store.oid);
    }
    moved.source = with_tables_above(source, at_source);
    moved.target = with_tables_above(target, at_target);
    moved.pairs = pairs_of(found.tables, moved, source, target);
    moved.schemas = schemas_of(source, moved.source);
    if (record) moved.group = tables_in(*record);
    return moved;
}

std::string joined_since(const MovedTables& tables, Broker& broker, const Names& names) {
    const auto record = find_table_records(broker, names);
    if (!record) return {};
    for (const auto& [oid, entry] : *record)
        if (entry.active() && !tables.group.contains(oid)) return full_name(entry.name);
    return {};
}

std::vector<std::string> joined_after(Lsn lsn, Broker& broker, const Names& names) {
    std::vector<std::string> joined;
    const auto record = find_table_records(broker, names);
    if (!record) return joined;
    for (const auto& [oid, entry] : *record)
        if (entry.active() && entry.lsn > lsn) joined.push_back(full_name(entry.name));
    return joined;
}

std::vector<std::string> sequences_to_move(sql::Connection& source, const MovedTables& tables) {
    const auto rows = source.query(
        "WITH moved AS (SELECT to_regclass(t.name)::oid AS oid FROM unnest($1::text[]) t (name)) "
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND (n.nspname = ANY ($2::text[]) OR EXISTS (SELECT FROM "
        "pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = "
        "'pg_class'::regclass AND d.refobjid IN (SELECT oid FROM moved)) OR EXISTS (SELECT FROM pg_attrdef a JOIN "
        "pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid WHERE a.adrelid IN (SELECT oid FROM "
        "moved) AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)) ORDER BY 1",
        {text_array(tables.source), text_array(tables.schemas)}, {1});
    return rows.texts(0);
}

}  // namespace pgsluice
