#include "replicator/source/column_types.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "replicator/source/session.h"
#include "replicator/source/transaction_end.h"
#include "sql/error.h"
#include "stream/base/pause.h"

namespace pgsluice {

namespace {

// Follows domains to their base; a true array's element is followed to its base as well. oidvector, point and the like
// also have a typelem, but are not the array type of it and look otherwise as text.
constexpr const char* types_query = R"(
WITH RECURSIVE wanted AS (SELECT DISTINCT oid FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS u(oid)),
base(origin, oid, typtype, typbasetype, typelem) AS (
    SELECT t.oid, t.oid, t.typtype, t.typbasetype, t.typelem
    FROM wanted w JOIN pg_catalog.pg_type t ON t.oid = w.oid
    UNION ALL
    SELECT b.origin, t.oid, t.typtype, t.typbasetype, t.typelem
    FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
),
element(origin, oid, typtype, typbasetype) AS (
    SELECT b.origin, t.oid, t.typtype, t.typbasetype
    FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.typelem AND t.typarray = b.oid WHERE b.typtype <> 'd'
    UNION ALL
    SELECT e.origin, t.oid, t.typtype, t.typbasetype
    FROM element e JOIN pg_catalog.pg_type t ON t.oid = e.typbasetype WHERE e.typtype = 'd'
)
SELECT w.oid, pg_catalog.format_type(w.oid, NULL), b.oid, coalesce(e.oid, 0)
FROM wanted w JOIN base b ON b.origin = w.oid AND b.typtype <> 'd'
LEFT JOIN element e ON e.origin = w.oid AND e.typtype <> 'd')";

constexpr std::size_t most_tables_ahead = 128;
constexpr int most_looks = 50;

// What a map has under a key, or nothing.
template <typename Map>
const typename Map::mapped_type& found_or_empty(const Map& map, Oid table) {
    static const typename Map::mapped_type empty;
    const auto found = map.find(table);
    return found == map.end() ? empty : found->second;
}

bool equal(const Column& column, const sql::CatalogColumn& now) {
    return column.name == now.name && column.type_oid == now.type_oid && column.typmod == now.typmod;
}

// What is known may be of another time than the relation. Numbers are told only when no column differs: one of the same
// name may be another.
void fill_numbers(Relation& relation, std::vector<sql::CatalogColumn> known) {
    std::vector<Column>& columns = relation.columns;
    const auto all = [&] { return std::equal(columns.begin(), columns.end(), known.begin(), known.end(), equal); };
    bool same = all();
    if (!same) {
        std::erase_if(known, [](const sql::CatalogColumn& column) { return column.generated != '\0'; });
        same = all();
    }
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i].number = same ? known[i].number : std::int16_t{0};
}

}  // namespace

void ColumnTypes::load(std::span<const Relation> relations) {
    std::set<Oid> missing;
    for (const Relation& relation : relations) {
        for (const Column& column : relation.columns) {
            if (!known_.contains(column.type_oid)) missing.insert(column.type_oid);
        }
    }
    if (missing.empty()) return;
    const std::string list = fmt::format("{{{}}}", fmt::join(missing, ","));
    // format_type() leaves out a schema that is in the search_path.
    connection_.query("SELECT pg_catalog.set_config('search_path', '', false)", {}, {1, 1, 1});
    const auto found = connection_.query(types_query, {sql::Param(list)}, {4});
    for (int row = 0; row < found.rows(); ++row) {
        known_[static_cast<Oid>(found.integer(row, 0))] = {found.text(row, 1), static_cast<Oid>(found.integer(row, 2)),
                                                           static_cast<Oid>(found.integer(row, 3))};
    }
    for (const Oid oid : missing) known_.try_emplace(oid, Type{"???", oid, 0});
}

ColumnTypes::Facts ColumnTypes::facts_of(std::span<const Oid> tables) {
    return {sql::columns_of(connection_, tables), sql::ancestors_of(connection_, tables)};
}

void ColumnTypes::complete(Relation& relation, const Facts& facts) {
    relation.ancestors.clear();
    for (const sql::CatalogTable& table : found_or_empty(facts.ancestors, relation.oid))
        relation.ancestors.push_back({table.schema, table.name});
    const auto& now = found_or_empty(facts.columns, relation.oid);
    fill_numbers(relation, found_or_empty(captured_, relation.oid));
    if (!is_numbered(relation)) fill_numbers(relation, now);
    for (Column& column : relation.columns) {
        const Type& type = known_.at(column.type_oid);
        column.type_name = type.name;
        column.base_oid = type.base;
        column.element_oid = type.element;
        const bool identity = column.key && relation.identity != ReplicaIdentity::full;
        column.unique = !identity && std::ranges::any_of(now, [&](const sql::CatalogColumn& known) {
            return known.unique && known.name == column.name;
        });
    }
}

void ColumnTypes::fill(std::span<Relation> relations) {
    if (relations.empty()) return;
    std::vector<Oid> tables;
    for (const Relation& relation : relations) tables.push_back(relation.oid);
    load(relations);
    const Facts facts = facts_of(tables);
    for (Relation& relation : relations) complete(relation, facts);
}

// As many as lately were of use: in a backlog all are, while tables that seldom change are better read one by one.
void ColumnTypes::look_ahead(Oid table) {
    tables_ahead_ =
        ahead_.used ? std::min(tables_ahead_ * 2, most_tables_ahead) : std::max(tables_ahead_ / 2, std::size_t{1});
    expected_.erase(table);
    std::vector<Oid> tables{table};
    while (tables.size() < tables_ahead_ && !expected_.empty())
        tables.push_back(expected_.extract(expected_.begin()).value());
    const Lsn now = wal_end(connection_);
    expected_.insert(ahead_.tables.begin(), ahead_.tables.end());
    ahead_ = {facts_of(tables), {tables.begin(), tables.end()}, now, false};
}

void ColumnTypes::fill_from_log(Relation& relation, Lsn committed, std::uint32_t xid) {
    load({&relation, 1});
    const bool ready = committed <= ahead_.read_at && ahead_.tables.contains(relation.oid);
    if (ready) {
        ahead_.used = true;
    } else {
        look_ahead(relation.oid);
    }
    complete(relation, ahead_.facts);
    // Without numbers a column that took another's name would not be told from it. Where only the commit is not to be
    // seen yet, that is waited for: a second, at most.
    for (int looks = 0; !is_numbered(relation) && looks < most_looks; ++looks) {
        const bool runs = still_runs(connection_, xid);
        const std::vector<Oid> table{relation.oid};
        complete(relation, facts_of(table));
        if (!runs) break;
        if (!pause(connection_.stop(), until_next_look)) throw Interrupted{};
    }
    ahead_.tables.erase(relation.oid);
}

}  // namespace pgsluice
