#include "sinks/postgres/ddl/unchecked_keys.h"

#include <fmt/format.h>

#include "sinks/postgres/array.h"
#include "sinks/postgres/rights/as_owner.h"
#include "sql/error.h"
#include "sql/quote.h"

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

std::string quoted(const QualifiedName& table) { return sql::quote_qualified(table.schema, table.table); }

std::string alter(const QualifiedName& table, const std::string& what) {
    return fmt::format("ALTER TABLE {} {}", quoted(table), what);
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
        if (statement.creates) run(table, statement.text + " NOT VALID");
        return owe(table, statement.foreign_key);
    }
    const auto keys = keys_to_awaited(table);
    for (const Key& key : keys) run(key.table, alter(key.table, "DROP CONSTRAINT " + sql::quote_identifier(key.name)));
    if (keys.empty()) return false;
    run(table, statement.text);
    for (const Key& key : keys) {
        const std::string name = sql::quote_identifier(key.name);
        run(key.table, alter(key.table, fmt::format("ADD CONSTRAINT {} {} NOT VALID", name, key.definition)));
        if (!key.comment.empty())
            run(key.table, fmt::format("COMMENT ON CONSTRAINT {} ON {} IS {}", name, quoted(key.table),
                                       sql::quote_literal(key.comment)));
        if (!owe(key.table, key.name)) return false;
    }
    return true;
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
    for (int row = 0; row < found.rows(); ++row)
        keys.push_back({found.text(row, 0),
                        {found.text(row, 1), found.text(row, 2)},
                        found.text(row, 3),
                        found.text(row, 4),
                        found.text(row, 5)});
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
    check();
}

void UncheckedKeys::check() {
    sql::Connection& connection = session_.connection;
    connection.query(
        "DELETE FROM pgsluice.unchecked u WHERE u.\"group\" = $1 AND u.worker = $2 AND u.class = 'key' AND NOT EXISTS "
        "(SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = u.oid AND NOT k.convalidated)",
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
}

bool UncheckedKeys::check(const Key& key) {
    sql::Connection& connection = session_.connection;
    connection.exec("BEGIN");
    try {
        const std::string text = alter(key.table, "VALIDATE CONSTRAINT " + sql::quote_identifier(key.name));
        if (const auto role = owner_of(connection, {key.table}, std::nullopt))
            run_as_owner(connection, *role, text);
        else
            connection.exec(text);
    } catch (const SqlError& error) {
        if (error.sqlstate() != "23503") throw;
        connection.exec("ROLLBACK");
        return false;
    }
    connection.query(
        "DELETE FROM pgsluice.unchecked WHERE \"group\" = $1 AND worker = $2 AND class = 'key' AND oid = $3::oid",
        {sql::Param(options_.group), sql::Param(options_.worker), sql::Param(key.oid)}, {0});
    connection.exec("COMMIT");
    return true;
}

}  // namespace pgsluice
