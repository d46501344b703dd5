#include "sinks/postgres/ddl/unchecked_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "sinks/postgres/array.h"
#include "sinks/postgres/rights/as_owner.h"
#include "sql/error.h"
#include "sql/quote.h"
#include "stream/base/failpoint.h"

namespace pgsluice {

struct UncheckedKeys::Key {
    std::string oid;
    QualifiedName table;  // that has the key
    std::string name;
    std::string definition;
    std::string comment;
};

namespace {

// Of a partitioned table the copy brings its partitions' rows.
constexpr const char* awaited =
    "EXISTS (SELECT FROM pgsluice.unchecked u WHERE u.\"group\" = $1 AND u.worker = $2 AND u.class = 'table' AND "
    "(u.oid = k.confrelid OR u.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(k.confrelid))))";

// $4: the name of a key of table $3; the class says it where that was renamed.
constexpr const char* noted_below =
    "o.\"group\" = $1 AND o.worker = $2 AND k.oid = o.oid AND (o.class = 'above:' || "
    "pg_catalog.to_regclass($3)::pg_catalog.oid || ':' || $4 OR o.class = 'above:' || "
    "pg_catalog.to_regclass($3)::pg_catalog.oid AND k.conname = $4)";

std::string quoted(const QualifiedName& table) { return sql::quote_qualified(table.schema, table.table); }

std::string alter(const QualifiedName& table, const std::string& what) {
    return fmt::format("ALTER TABLE {} {}", quoted(table), what);
}

std::string adding(const UncheckedKeys::Key& key) {
    return fmt::format("ADD CONSTRAINT {} {}", sql::quote_identifier(key.name), key.definition);
}

std::string commenting(const UncheckedKeys::Key& key) {
    return fmt::format("COMMENT ON CONSTRAINT {} ON {} IS {}", sql::quote_identifier(key.name), quoted(key.table),
                       key.comment.empty() ? "NULL" : sql::quote_literal(key.comment));
}

// As in all commands about one.
std::string called(const std::string& key) { return " CONSTRAINT " + sql::quote_identifier(key); }

std::string dropping(const std::string& key) { return "DROP CONSTRAINT " + sql::quote_identifier(key); }

// Of a result whose columns are schema and table.
std::vector<QualifiedName> tables_in(const sql::Result& found) {
    std::vector<QualifiedName> tables;
    for (int row = 0; row < found.rows(); ++row) tables.push_back({found.text(row, 0), found.text(row, 1)});
    return tables;
}

// Of one whose columns are oid, schema, table, name, definition and comment.
UncheckedKeys::Key key_in(const sql::Result& found, int row) {
    return {found.text(row, 0),
            {found.text(row, 1), found.text(row, 2)},
            found.text(row, 3),
            found.text(row, 4),
            found.text(row, 5)};
}

}  // namespace

void UncheckedKeys::await_rows(const QualifiedName& table) {
    session_.connection.query(
        "INSERT INTO pgsluice.unchecked SELECT $1, $2, 'table', pg_catalog.to_regclass($3) ON CONFLICT DO NOTHING",
        {sql::Param(options_.group), sql::Param(options_.worker), sql::Param(quoted(table))}, {0});
}

bool UncheckedKeys::run(const DerivedStatement& statement, const Run& run) {
    // Where they are checked for each row, an open check would only come later.
    if (!session_.replica || !statement.table) return false;
    const QualifiedName& table = *statement.table;
    if (!statement.foreign_key.empty()) {
        if (statement.enforces) return enforce(table, statement.foreign_key, run);
        if (!statement.creates) return owe(table, statement.foreign_key);
        const std::string adds =
            alter(table, fmt::format("ADD CONSTRAINT {} ", sql::quote_identifier(statement.foreign_key)));
        if (!statement.text.starts_with(adds)) return false;
        return add_unchecked({"", table, statement.foreign_key, statement.text.substr(adds.size()), ""}, run);
    }
    const auto keys = keys_to_awaited(table);
    for (const Key& key : keys) run(key.table, alter(key.table, dropping(key.name)));
    if (keys.empty()) return false;
    run(table, statement.text);
    return std::all_of(keys.begin(), keys.end(), [&](const Key& key) { return add_unchecked(key, run); });
}

// What was not enforced cannot become enforced and stay unchecked.
bool UncheckedKeys::enforce(const QualifiedName& table, const std::string& name, const Run& run) {
    session_.connection.exec("SET LOCAL search_path = ''");  // the definition is qualified then
    const auto found = session_.connection.query(
        "SELECT k.oid, $1, $2, k.conname, pg_catalog.replace(pg_catalog.pg_get_constraintdef(k.oid), $5, ''), "
        "coalesce(pg_catalog.obj_description(k.oid, 'pg_constraint'), '') FROM pg_catalog.pg_constraint k "
        "WHERE k.conrelid = pg_catalog.to_regclass($3) AND k.conname = $4 AND k.contype = 'f'",
        {sql::Param(table.schema), sql::Param(table.table), sql::Param(quoted(table)), sql::Param(name),
         sql::Param(" NOT ENFORCED")},
        {6});
    if (found.rows() == 0) return false;
    const Key key = key_in(found, 0);
    run(table, alter(table, dropping(key.name)));
    return add_unchecked(key, run);
}

bool UncheckedKeys::add_unchecked(const Key& key, const Run& run) {
    return takes_unchecked(key.table) ? add_not_valid(key, run) : add_below(key, run);
}

bool UncheckedKeys::add_not_valid(const Key& key, const Run& run) {
    run(key.table, alter(key.table, fmt::format("{} NOT VALID", adding(key))));
    if (!key.comment.empty()) run(key.table, commenting(key));
    return owe(key.table, key.name);
}

bool UncheckedKeys::add_below(const Key& key, const Run& run) {
    for (const QualifiedName& partition : partitions_below(key.table)) {
        Key below = key;
        below.table = partition;
        if (!add_not_valid(below, run)) return false;
        session_.connection.query(
            "INSERT INTO pgsluice.unchecked SELECT $1, $2, 'above:' || pg_catalog.to_regclass($3)::pg_catalog.oid, "
            "k.oid FROM pg_catalog.pg_constraint k WHERE k.conrelid = pg_catalog.to_regclass($4) AND k.conname = $5",
            {sql::Param(options_.group), sql::Param(options_.worker), sql::Param(quoted(key.table)),
             sql::Param(quoted(partition)), sql::Param(key.name)},
            {0});
    }
    return true;
}

std::vector<QualifiedName> UncheckedKeys::partitions_below(const QualifiedName& table) {
    return tables_in(session_.connection.query(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1)) t JOIN "
        "pg_catalog.pg_class c ON c.oid = t.relid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
        "t.isleaf",
        {sql::Param(quoted(table))}, {2}));
}

bool UncheckedKeys::takes_unchecked(const QualifiedName& table) {
    if (session_.connection.server_version() >= 180000) return true;
    return session_.connection
        .query(
            "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1) AND relkind = "
            "'p')",
            {sql::Param(quoted(table))}, {1, 1, 1})
        .boolean(0, 0);
}

// A rename is only noted: partitions keep the names of what they inherit.
bool UncheckedKeys::run_below(const DerivedStatement& statement) {
    const auto below = keys_below(*statement.table, statement.foreign_key);
    if (below.empty()) return false;
    if (!statement.renamed_to.empty() || statement.drops) renote(statement);
    if (!statement.renamed_to.empty()) return true;
    const std::string table = quoted(*statement.table);
    const std::string name = called(statement.foreign_key);
    for (const Key& key : below) {
        std::string text = statement.text;
        text.replace(text.find(table), table.size(), quoted(key.table));
        text.replace(text.find(name), name.size(), called(key.name));
        run_as_its_owner(key.table, text);
    }
    return true;
}

// What partitions have of a key that their table does not have yet.
std::vector<UncheckedKeys::Key> UncheckedKeys::keys_below(const QualifiedName& table, const std::string& name) {
    const std::string above = quoted(table);
    const auto found = session_.connection.query(
        fmt::format("SELECT k.oid, n.nspname, c.relname, k.conname, '', '' FROM pgsluice.unchecked o JOIN "
                    "pg_catalog.pg_constraint k ON k.oid = o.oid JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN "
                    "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {}",
                    noted_below),
        {sql::Param(options_.group), sql::Param(options_.worker), sql::Param(above), sql::Param(name)}, {6});
    std::vector<Key> keys;
    for (int row = 0; row < found.rows(); ++row) keys.push_back(key_in(found, row));
    return keys;
}

// Under the name that the key has next; without one, not at all.
void UncheckedKeys::renote(const DerivedStatement& statement) {
    const std::string above = quoted(*statement.table);
    if (statement.renamed_to.empty())
        session_.connection.query(
            fmt::format("DELETE FROM pgsluice.unchecked o USING pg_catalog.pg_constraint k WHERE {}", noted_below),
            {sql::Param(options_.group), sql::Param(options_.worker), sql::Param(above),
             sql::Param(statement.foreign_key)},
            {0});
    else
        session_.connection.query(
            fmt::format("UPDATE pgsluice.unchecked o SET class = 'above:' || "
                        "pg_catalog.to_regclass($3)::pg_catalog.oid || ':' || $5 FROM pg_catalog.pg_constraint k "
                        "WHERE {}",
                        noted_below),
            {sql::Param(options_.group), sql::Param(options_.worker), sql::Param(above),
             sql::Param(statement.foreign_key), sql::Param(statement.renamed_to)},
            {0});
}

// A statement about the table checks those that it has and those that refer to it.
std::vector<UncheckedKeys::Key> UncheckedKeys::keys_to_awaited(const QualifiedName& table) {
    session_.connection.exec("SET LOCAL search_path = ''");  // the definitions are qualified then
    const auto found = session_.connection.query(
        fmt::format("SELECT k.oid, n.nspname, c.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid), "
                    "coalesce(pg_catalog.obj_description(k.oid, 'pg_constraint'), '') FROM pg_catalog.pg_constraint k "
                    "JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = "
                    "c.relnamespace WHERE k.contype = 'f' AND k.convalidated AND k.conparentid = 0 AND "
                    "pg_catalog.to_regclass($3) IN (k.conrelid, k.confrelid) AND {}",
                    awaited),
        {sql::Param(options_.group), sql::Param(options_.worker), sql::Param(quoted(table))}, {6});
    std::vector<Key> keys;
    for (int row = 0; row < found.rows(); ++row) keys.push_back(key_in(found, row));
    return keys;
}

// False where it does not refer to awaited rows.
bool UncheckedKeys::owe(const QualifiedName& table, const std::string& key) {
    const auto owed = session_.connection.query(
        fmt::format("INSERT INTO pgsluice.unchecked SELECT $1, $2, 'key', k.oid FROM pg_catalog.pg_constraint k WHERE "
                    "k.conrelid = pg_catalog.to_regclass($3) AND k.conname = $4 AND k.contype = 'f' AND {} "
                    "ON CONFLICT DO NOTHING",
                    awaited),
        {sql::Param(options_.group), sql::Param(options_.worker), sql::Param(quoted(table)), sql::Param(key)}, {0});
    if (owed.affected() == 0) return false;
    log_(LogLevel::info, fmt::format("foreign key '{}' on '{}.{}' is checked once the rows it refers to are copied",
                                     key, table.schema, table.table));
    return true;
}

void UncheckedKeys::copied(const std::vector<std::string>& tables) {
    session_.connection.query(
        "DELETE FROM pgsluice.unchecked u WHERE u.\"group\" = $1 AND u.worker = $2 AND u.class = 'table' AND "
        "(NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = u.oid) OR u.oid IN (SELECT p.relid FROM "
        "pg_catalog.unnest($3::text[]) AS t (name), pg_catalog.pg_partition_tree(pg_catalog.to_regclass(t.name)) p "
        "UNION SELECT pg_catalog.to_regclass(t.name) FROM pg_catalog.unnest($3::text[]) AS t (name)))",
        {sql::Param(options_.group), sql::Param(options_.worker), sql::Param(text_array(tables))}, {0});
}

void UncheckedKeys::check() {
    sql::Connection& connection = session_.connection;
    connection.query(
        "DELETE FROM pgsluice.unchecked u WHERE u.\"group\" = $1 AND u.worker = $2 AND u.class = 'key' AND NOT EXISTS "
        "(SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = u.oid AND NOT k.convalidated AND "
        "pg_catalog.to_jsonb(k) ->> 'conenforced' IS DISTINCT FROM 'false')",
        {sql::Param(options_.group), sql::Param(options_.worker)}, {0});
    const auto found = connection.query(
        fmt::format("SELECT k.oid, n.nspname, c.relname, k.conname, {} FROM pgsluice.unchecked o JOIN "
                    "pg_catalog.pg_constraint k ON k.oid = o.oid JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN "
                    "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE o.\"group\" = $1 AND o.worker = $2 AND "
                    "o.class = 'key'",
                    awaited),
        {sql::Param(options_.group), sql::Param(options_.worker)}, {5});
    for (int row = 0; row < found.rows(); ++row) {
        const Key key{found.text(row, 0), {found.text(row, 1), found.text(row, 2)}, found.text(row, 3), {}, {}};
        if (check(key) || found.boolean(row, 4)) continue;
        log_(
            LogLevel::warning,
            fmt::format("foreign key '{}' on '{}.{}' stays NOT VALID: rows that it refers to are missing on the target",
                        key.name, key.table.schema, key.table.table));
    }
    make_above();
}

// Of partitioned tables whose partitions' keys are all checked.
void UncheckedKeys::make_above() {
    sql::Connection& connection = session_.connection;
    connection.query(
        "DELETE FROM pgsluice.unchecked u WHERE u.\"group\" = $1 AND u.worker = $2 AND u.class LIKE 'above:%' AND NOT "
        "EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = u.oid)",
        {sql::Param(options_.group), sql::Param(options_.worker)}, {0});
    const auto found = connection.query(
        "SELECT c.oid, n.nspname, c.relname, x.name, pg_catalog.min(pg_catalog.pg_get_constraintdef(k.oid)), "
        "coalesce(pg_catalog.max(pg_catalog.obj_description(k.oid, 'pg_constraint')), '') FROM pgsluice.unchecked o "
        "JOIN pg_catalog.pg_constraint k ON k.oid = o.oid CROSS JOIN LATERAL (SELECT "
        "coalesce(pg_catalog.substring(o.class, '^above:[0-9]+:(.*)$'), k.conname) AS name) x JOIN pg_catalog.pg_class "
        "c ON 'above:' || c.oid = pg_catalog.substring(o.class, '^above:[0-9]+') JOIN pg_catalog.pg_namespace n ON "
        "n.oid = c.relnamespace WHERE o.\"group\" = $1 AND o.worker = $2 AND o.class LIKE 'above:%' GROUP BY c.oid, "
        "n.nspname, x.name HAVING pg_catalog.bool_and(k.convalidated)",
        {sql::Param(options_.group), sql::Param(options_.worker)}, {6});
    for (int row = 0; row < found.rows(); ++row) make_above(key_in(found, row));
}

// It takes over its partitions' keys, which are equal and checked. What was said of it was said of them. Made under the
// name that these have, so that partitions in between get it, too.
void UncheckedKeys::make_above(const Key& key) {
    sql::Connection& connection = session_.connection;
    const auto below = keys_below(key.table, key.name);
    Key made_as = key;
    if (!below.empty()) made_as.name = below.front().name;
    connection.exec("BEGIN");
    run_as_its_owner(key.table, alter(key.table, adding(made_as)));
    if (made_as.name != key.name)
        run_as_its_owner(key.table,
                         alter(key.table, fmt::format("RENAME CONSTRAINT {} TO {}", sql::quote_identifier(made_as.name),
                                                      sql::quote_identifier(key.name))));
    if (!key.comment.empty()) {
        run_as_its_owner(key.table, commenting(key));
        for (const Key& each : below) run_as_its_owner(each.table, commenting(each));
    }
    DerivedStatement made;
    made.table = key.table;
    made.foreign_key = key.name;
    renote(made);
    PGSLUICE_FAILPOINT("postgres-key-above");
    connection.exec("COMMIT");
    PGSLUICE_FAILPOINT("postgres-key-above-made");
    log_(LogLevel::info, fmt::format("foreign key '{}' on '{}.{}' is made: its partitions' are checked", key.name,
                                     key.table.schema, key.table.table));
}

void UncheckedKeys::run_as_its_owner(const QualifiedName& table, const std::string& text) {
    run_as_owner(session_.connection, owner_of(session_.connection, {table}, std::nullopt), text);
}

bool UncheckedKeys::check(const Key& key) {
    sql::Connection& connection = session_.connection;
    connection.exec("BEGIN");
    try {
        run_as_its_owner(key.table, alter(key.table, "VALIDATE CONSTRAINT " + sql::quote_identifier(key.name)));
    } catch (const SqlError& error) {
        if (error.sqlstate() != "23503") throw;
        connection.exec("ROLLBACK");
        return false;
    }
    connection.query(
        "DELETE FROM pgsluice.unchecked WHERE \"group\" = $1 AND worker = $2 AND class = 'key' AND oid = $3::oid",
        {sql::Param(options_.group), sql::Param(options_.worker), sql::Param(key.oid)}, {0});
    PGSLUICE_FAILPOINT("postgres-key-check");
    connection.exec("COMMIT");
    PGSLUICE_FAILPOINT("postgres-key-checked");
    return true;
}

}  // namespace pgsluice
