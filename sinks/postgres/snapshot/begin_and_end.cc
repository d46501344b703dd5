#include "sinks/postgres/snapshot/begin_and_end.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "sinks/postgres/array.h"
#include "sinks/postgres/history/version_statements.h"
#include "sinks/postgres/own_rows.h"
#include "sinks/postgres/rights/emptying.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

using Names = std::set<std::string>;  // quoted and qualified
using Places = std::set<OwnRows>;

std::string_view name_of(ExistingRows existing) {
    switch (existing) {
        case ExistingRows::truncate:
            return "truncate";
        case ExistingRows::keep:
            return "keep";
        case ExistingRows::error:
            break;
    }
    return "error";
}

// Those of the tables that are there.
std::vector<EmptiedTable> present(sql::Connection& connection, const Places& places) {
    std::vector<std::string> tables;
    std::vector<std::string> conditions;
    for (const auto& [table, condition] : places) {
        tables.push_back(table);
        conditions.push_back(condition);
    }
    const auto rows = connection.query(
        "SELECT q.name, CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || q.name, c.oid, c.relkind = 'p', "
        "c.relkind = 'f', q.condition FROM unnest($1::text[], $2::text[]) AS q(name, condition) JOIN pg_class c "
        "ON c.oid = to_regclass(q.name)",
        {text_array(tables), text_array(conditions)}, {6});
    std::vector<EmptiedTable> found;
    for (int row = 0; row < rows.rows(); ++row) {
        const auto oid = static_cast<Oid>(rows.integer(row, 2));
        found.push_back({{rows.text(row, 0), oid, rows.boolean(row, 3), rows.boolean(row, 4)},
                         rows.text(row, 1),
                         rows.text(row, 5)});
    }
    return found;
}

using Others = std::map<OwnRows, Names>;  // other tables of the source whose rows are in the same place

// The rows may be any of these tables', so the user has to tell them apart.
[[noreturn]] void refuse_shared(const std::string& table, const Names& others, const std::string& why,
                                const std::string& hint) {
    throw stop_error(fmt::format("unable to start the copy: the target already holds rows in {}, which {} {}{}", table,
                                 fmt::join(others, ", "), others.size() == 1 ? "fills as well" : "fill as well", why),
                     hint);
}

[[noreturn]] void refuse_shared(const std::string& table, const Names& others, ExistingRows existing) {
    if (existing == ExistingRows::keep)
        refuse_shared(table, others, ", and it has no key that would keep rows from being duplicated",
                      "Give it the source's primary key, and start the worker again.");
    refuse_shared(table, others, "",
                  fmt::format("The copy does not bring their rows, so {} is not emptied. Delete the rows of the copied "
                              "table there, if it has any, and start the worker once with --target-existing-rows keep.",
                              table));
}

void refuse_shared_versions(PostgresSession& session, const TargetMapping& mapping, const Names& others) {
    if (!session.reads_true(written_table(mapping), any_valid(mapping))) return;
    refuse_shared(mapping.table.name, others, "",
                  fmt::format("The copy does not bring their rows, so it ends no versions in {} as deleted. End those "
                              "of rows that the copied table no longer has, if there are any, and start the worker "
                              "once with --target-existing-rows keep.",
                              mapping.table.name));
}

void refuse_existing_rows(PostgresSession& session, const Places& places, ExistingRows existing, const Others& others) {
    std::vector<std::string> filled;
    for (const auto& [table, only, condition] : present(session.connection, places)) {
        const std::string which = condition.empty() ? "true" : condition;
        if (!session.reads_true(table, fmt::format("EXISTS (SELECT FROM {} WHERE {})", only, which))) continue;
        if (const auto shared = others.find({table.name, condition}); shared != others.end())
            refuse_shared(table.name, shared->second, existing);
        filled.push_back(OwnRows{table.name, condition}.text());
    }
    if (!filled.empty()) throw holds_rows(filled, existing);
}

bool removes_rows(const Relation& relation) { return relation.keeping.mode == Keeping::Mode::clone; }

}  // namespace

Error holds_rows(const std::vector<std::string>& tables, ExistingRows existing) {
    const std::string what =
        fmt::format("unable to start the copy: the target already holds rows in {}", fmt::join(tables, ", "));
    if (existing == ExistingRows::keep) {
        return stop_error(what + ", which has no key that would keep them from being duplicated",
                          "Empty these tables, or give them the source's primary key, or choose --target-existing-rows "
                          "truncate (empties all tables of the copy).");
    }
    return stop_error(what,
                      "Empty these tables, or choose --target-existing-rows truncate (empties them) or keep "
                      "(overwrites rows of the same key and leaves the others).");
}

bool empty_ahead(PostgresSession& session, PostgresProgress& progress, const SnapshotTargets& targets) {
    Places places;
    for (const std::string& loading : progress.loading_tables()) places.insert(OwnRows::parse(loading));
    const auto add = [&](const std::vector<RelationPtr>& relations) {
        for (const RelationPtr& relation : relations) {
            // Those that constants tell apart are claimed first, and that needs the table.
            if (relation && removes_rows(*relation) && relation->keeping.constants.empty())
                places.insert({sql::quote_qualified(relation->schema, relation->table), ""});
        }
    };
    add(targets.replaced);
    if (targets.existing == ExistingRows::truncate) add(targets.tables);
    for (const auto& [index, others] : targets.shared) {
        const Relation& relation = *targets.tables.at(index);
        places.erase({sql::quote_qualified(relation.schema, relation.table), ""});
    }
    sql::Connection& connection = session.connection;
    connection.exec("BEGIN");
    session.guard.forget();
    auto tables = present(connection, places);
    std::erase_if(tables, [&](const EmptiedTable& table) { return targets.kept.contains(table.table.oid); });
    empty_tables(session, tables);
    session.guard.end(connection);
    connection.exec("COMMIT");
    return !tables.empty();
}

void prepare_snapshot(PostgresSession& session, PostgresProgress& progress, TargetMappings& mappings,
                      const SnapshotTargets& targets, const SinkState& next) {
    sql::Connection& connection = session.connection;
    const ExistingRows existing = targets.existing;
    const auto place_of = [&](const Relation& relation) {
        return OwnRows::of(mappings.at(relation)->table.name, relation);
    };
    Others others;
    for (const auto& [index, names] : targets.shared) others[place_of(*targets.tables.at(index))] = names;
    connection.exec("BEGIN");
    session.guard.forget();
    Places emptied;
    for (const std::string& loading : progress.loading_tables()) emptied.insert(OwnRows::parse(loading));
    const auto empty_too = [&](const OwnRows& place) {
        if (!others.contains(place)) emptied.insert(place);
    };
    for (const RelationPtr& relation : targets.replaced) {
        const TargetMapping& mapping = *mappings.at(*relation);
        if (removes_rows(*relation) && !targets.kept.contains(mapping.table.oid)) empty_too(place_of(*relation));
    }
    Places empty;  // what has to be; where rows can be written over nothing has
    for (const RelationPtr& relation : targets.tables) {
        if (!relation) continue;
        const TargetMapping& mapping = *mappings.at(*relation);
        const OwnRows place = place_of(*relation);
        if (mapping.keeps_history()) {
            if (others.contains(place) && existing != ExistingRows::keep)
                refuse_shared_versions(session, mapping, others.at(place));
            continue;
        }
        const bool written_over = is_written_over(mapping, existing == ExistingRows::keep, targets.kept);
        if (existing == ExistingRows::truncate && !written_over) empty_too(place);
        if (!written_over || emptied.contains(place)) empty.insert(place);
    }
    empty_tables(session, present(connection, emptied));
    refuse_existing_rows(session, empty, existing, others);
    progress.forget_loaded(std::nullopt);
    progress.forget_parked(targets.tables);  // the copy brings all their rows again
    std::vector<std::string> loading;
    for (const OwnRows& place : empty) loading.push_back(place.text());
    progress.set_loading_tables(loading);
    targets.versions.prepare(targets.tables);
    progress.set_existing_rows(name_of(existing));
    progress.move(next);
    session.guard.end(connection);
    connection.exec("COMMIT");
    progress.moved(next);
}

void finish_snapshot(PostgresSession& session, PostgresProgress& progress, KeptRows& kept,
                     const std::vector<RelationPtr>& tables, const SinkState& next,
                     const std::function<void()>& within) {
    sql::Connection& connection = session.connection;
    connection.exec("BEGIN");
    progress.forget_loaded(std::nullopt);
    progress.set_loading_tables({});
    kept.forget(tables);
    session.guard.forget();
    within();
    progress.move(next);
    session.guard.end(connection);
    connection.exec("COMMIT");
    progress.moved(next);
}

}  // namespace pgsluice
