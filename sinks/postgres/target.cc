#include "sinks/postgres/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "sql/own_schema.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

// pg_constraint has no index by which to find the keys that refer to a table; their triggers on it have. 1646, 1650 and
// 1652 are the functions of those that cascade, set to null and set to the default on DELETE. LATERAL and OFFSET 0,
// here and below: the planner takes few partitions for many, and would read whole catalogs.
constexpr const char* table_query =
    "SELECT c.oid, c.relkind, ARRAY(SELECT relid::oid FROM pg_partition_ancestors(c.oid) WHERE relid <> c.oid), "
    "(SELECT format('foreign key ''%s'' of ''%s.%s''', x.conname, x.nspname, x.relname) "
    "FROM (SELECT c.oid UNION SELECT relid::oid FROM pg_partition_tree(c.oid)) AS t(oid) CROSS JOIN LATERAL ("
    "SELECT x.oid, x.conparentid, x.conname, rn.nspname, r.relname FROM pg_trigger g JOIN pg_constraint x ON x.oid = "
    "g.tgconstraint JOIN pg_class r ON r.oid = x.conrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace "
    "WHERE g.tgrelid = t.oid AND g.tgfoid IN (1646, 1650, 1652) OFFSET 0) AS x ORDER BY x.conparentid, x.oid LIMIT 1) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2";

// Type names of columns: base type of domains, never with a typmod (-1 keeps bpchar from meaning char(1)). 403 is the
// btree access method, whose strategy 3 is equality.
constexpr const char* column_query =
    "WITH RECURSIVE base AS ("
    "  SELECT a.attnum, t.oid, t.typtype, t.typbasetype, t.typtypmod, a.atttypmod AS typmod, 1 AS depth"
    "  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
    "  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped"
    "  UNION ALL"
    "  SELECT b.attnum, t.oid, t.typtype, t.typbasetype, t.typtypmod,"
    "    CASE WHEN b.typmod = -1 THEN b.typtypmod ELSE b.typmod END, b.depth + 1"
    "  FROM base b JOIN pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd') "
    "SELECT a.attnum, a.attname, format_type(b.oid, -1), a.attgenerated <> '', a.attidentity = 'a', a.attnotnull,"
    "  b.typtype = 'e' OR b.oid = ANY ('{boolean,bytea,smallint,integer,bigint,oid,text,varchar,date,time,timestamp,"
    "timestamptz,uuid}'::regtype[]) AND coalesce(l.collisdeterministic, true), o.oprname, n.nspname, b.typmod::int8 "
    "FROM pg_attribute a JOIN (SELECT DISTINCT ON (attnum) attnum, oid, typtype, typmod FROM base ORDER BY attnum, "
    "depth DESC) "
    "b ON b.attnum = a.attnum LEFT JOIN pg_collation l ON l.oid = a.attcollation "
    "LEFT JOIN pg_opclass c ON c.opcintype = b.oid AND c.opcdefault AND c.opcmethod = 403 "
    "LEFT JOIN pg_amop p ON p.amopfamily = c.opcfamily AND p.amopstrategy = 3 AND p.amoppurpose = 's' "
    "  AND p.amoplefttype = b.oid AND p.amoprighttype = b.oid "
    "LEFT JOIN pg_operator o ON o.oid = p.amopopr LEFT JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE a.attrelid "
    "= $1::oid AND NOT a.attisdropped ORDER BY a.attnum";

// One row per column of each unique or exclusion index. The operator is that of the exclusion constraint, or else the
// operator class's equality (btree strategy 3; unique indexes are btrees).
constexpr const char* index_query =
    "SELECT i.indexrelid, ic.relname, i.indisprimary, i.indimmediate,"
    "  i.indpred IS NULL AND i.indexprs IS NULL, i.indisexclusion, k.attnum, o.oprname, n.nspname,"
    // The column is there from PostgreSQL 15 on.
    "  coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) "
    "FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid "
    "LEFT JOIN pg_constraint x ON i.indisexclusion AND x.conrelid = i.indrelid AND x.conindid = i.indexrelid "
    "AND x.contype = 'x' "
    "CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indclass::oid[]) WITH ORDINALITY AS k(attnum, opclass, ord) "
    "LEFT JOIN pg_opclass c ON c.oid = k.opclass "
    "LEFT JOIN pg_amop am ON am.amopfamily = c.opcfamily AND am.amopstrategy = 3 AND am.amoppurpose = 's' "
    "  AND am.amoplefttype = c.opcintype AND am.amoprighttype = c.opcintype "
    "LEFT JOIN pg_operator o ON o.oid = CASE WHEN i.indisexclusion THEN x.conexclop[k.ord] ELSE am.amopopr END "
    "LEFT JOIN pg_namespace n ON n.oid = o.oprnamespace "
    "WHERE i.indrelid = $1::oid AND (i.indisunique OR i.indisexclusion) AND i.indislive AND i.indisready "
    "  AND i.indisvalid AND k.ord <= i.indnkeyatts ORDER BY i.indisprimary DESC, i.indexrelid, k.ord";

// One row per column of each GiST index; 783 is that access method.
constexpr const char* gist_query =
    "SELECT i.indexrelid, a.attname FROM (SELECT $1::oid UNION SELECT relid::oid FROM pg_partition_tree($1::oid)) AS "
    "t(oid) CROSS JOIN LATERAL (SELECT i.indexrelid, i.indrelid, i.indkey FROM pg_index i JOIN pg_class x ON x.oid = "
    "i.indexrelid WHERE i.indrelid = t.oid AND x.relam = 783 OFFSET 0) AS i LEFT JOIN LATERAL (SELECT a.attname FROM "
    "pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) OFFSET 0) AS a ON true";

std::string operator_text(std::string_view schema, std::string_view name) {
    if (schema.empty() || schema == "pg_catalog") return name.empty() ? "=" : std::string(name);
    return fmt::format("OPERATOR({}.{})", sql::quote_identifier(schema), name);
}

std::vector<Oid> parse_oids(std::string_view array) {  // "{1,2}"
    std::vector<Oid> oids;
    const char* at = array.data() + 1;
    const char* end = array.data() + array.size();
    while (at < end && *at != '}') {
        Oid oid = 0;
        at = std::from_chars(at, end, oid).ptr;
        if (oid == 0) break;
        oids.push_back(oid);
        if (at < end && *at == ',') ++at;
    }
    return oids;
}

void load_columns(sql::Connection& connection, const std::string& oid, TargetTable& table,
                  std::map<std::int64_t, int>& by_attnum) {
    const auto rows = connection.query(column_query, {oid}, {10});
    for (int row = 0; row < rows.rows(); ++row) {
        by_attnum[rows.integer(row, 0)] = row;
        TargetColumn column;
        column.name = rows.text(row, 1);
        column.quoted = sql::quote_identifier(column.name);
        column.number = static_cast<int>(rows.integer(row, 0));
        column.type = rows.text(row, 2);
        column.typmod = rows.integer(row, 9);
        column.generated = rows.boolean(row, 3);
        column.identity_always = rows.boolean(row, 4);
        column.not_null = rows.boolean(row, 5);
        column.exact = rows.boolean(row, 6);
        column.equals = operator_text(rows.get(row, 8).value_or(""), rows.get(row, 7).value_or(""));
        table.columns.push_back(std::move(column));
    }
}

void load_indexes(sql::Connection& connection, const std::string& oid, TargetTable& table,
                  const std::map<std::int64_t, int>& by_attnum) {
    const auto rows = connection.query(index_query, {oid}, {10});
    std::string last_oid;
    for (int row = 0; row < rows.rows(); ++row) {
        if (rows.text(row, 0) != last_oid) {
            last_oid = rows.text(row, 0);
            TargetIndex index;
            index.name = rows.text(row, 1);
            index.primary = rows.boolean(row, 2);
            index.immediate = rows.boolean(row, 3);
            index.plain = rows.boolean(row, 4);
            index.exclusion = rows.boolean(row, 5);
            index.nulls_equal = rows.boolean(row, 9);
            index.without_nulls = true;
            table.indexes.push_back(std::move(index));
        }
        TargetIndex& index = table.indexes.back();
        const auto column = by_attnum.find(rows.integer(row, 6));
        const int number = column == by_attnum.end() ? -1 : column->second;
        index.columns.push_back(number);
        index.without_nulls &= number >= 0 && table.columns[static_cast<std::size_t>(number)].not_null;
        index.equals.push_back(operator_text(rows.get(row, 8).value_or(""), rows.get(row, 7).value_or("")));
    }
}

void load_gist_indexes(sql::Connection& connection, const std::string& oid, TargetTable& table) {
    const auto rows = connection.query(gist_query, {oid}, {2});
    for (int row = 0; row < rows.rows(); ++row) {
        const auto index = static_cast<Oid>(rows.integer(row, 0));
        if (std::find(table.gist_indexes.begin(), table.gist_indexes.end(), index) == table.gist_indexes.end())
            table.gist_indexes.push_back(index);
        for (TargetColumn& column : table.columns) column.in_gist |= rows.get(row, 1) == column.name;
    }
}

}  // namespace

const TargetColumn* TargetTable::find(std::string_view column) const noexcept {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.name == column; });
    return found == columns.end() ? nullptr : &*found;
}

bool TargetTable::has_deferrable() const noexcept {
    return std::any_of(indexes.begin(), indexes.end(), [](const TargetIndex& index) { return !index.immediate; });
}

ColumnTypeNames type_names_of(const TargetTable& table) {
    ColumnTypeNames types;
    for (const TargetColumn& column : table.columns)
        if (!column.generated) types[column.name] = column.type;
    return types;
}

std::vector<TableName> names_of(const std::vector<const Relation*>& tables) {
    std::vector<TableName> names;
    for (const Relation* table : tables) names.emplace_back(table->schema, table->table);
    return names;
}

void refuse_own_schema(const std::string& table) {
    throw stop_error(fmt::format("unable to write to '{}.{}': {}", own_schema, table, own_schema_reason),
                     "Route the source's table to a table of the target.");
}

std::optional<TargetTable> find_target_table(sql::Connection& connection, const std::string& schema,
                                             const std::string& table) {
    if (schema == own_schema && table != own_marks) refuse_own_schema(table);
    const auto found = connection.query(table_query, {schema, table}, {4, 0, 1});
    if (found.rows() == 0) return std::nullopt;
    const std::string oid = found.text(0, 0);
    const std::string kind = found.text(0, 1);
    if (kind != "r" && kind != "p" && kind != "f") {
        throw stop_error(fmt::format("unable to write to '{}.{}': it is not a table", schema, table),
                         "Route the source's table to a table of the target.");
    }
    TargetTable target;
    target.oid = static_cast<Oid>(std::stoul(oid));
    target.schema = schema;
    target.table = table;
    target.name = sql::quote_qualified(schema, table);
    target.partitioned = kind == "p";
    target.foreign = kind == "f";
    target.only = (target.partitioned ? "" : "ONLY ") + target.name;
    target.ancestors = parse_oids(found.text(0, 2));
    target.delete_cascade = found.get(0, 3).value_or("");
    std::map<std::int64_t, int> by_attnum;
    load_columns(connection, oid, target, by_attnum);
    load_indexes(connection, oid, target, by_attnum);
    load_gist_indexes(connection, oid, target);
    return target;
}

TargetTable load_target_table(sql::Connection& connection, const std::string& schema, const std::string& table) {
    auto target = find_target_table(connection, schema, table);
    if (!target) {
        throw stop_error(fmt::format("unable to write to '{}.{}': the target has no such table", schema, table),
                         "Create it on the target, or start the worker with --target-sync-schema, or route the table "
                         "elsewhere with --routing-config.");
    }
    return std::move(*target);
}

}  // namespace pgsluice
