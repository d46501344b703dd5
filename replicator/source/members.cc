#include "replicator/source/members.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sql/error.h"
#include "sql/lock_timeout.h"
#include "sql/own_schema.h"
#include "sql/quote.h"
#include "stream/full_name.h"

namespace pgsluice {

namespace {

using sql::CatalogTable;

std::string list_of(std::span<const Oid> oids) { return fmt::format("{{{}}}", fmt::join(oids, ",")); }

std::string list_of(std::span<const CatalogTable> tables) {
    std::vector<Oid> oids;
    for (const CatalogTable& table : tables) oids.push_back(table.oid);
    return list_of(oids);
}

// Inheritance children at any distance. A partition comes with its partitioned table.
constexpr const char* children_query = R"(
WITH RECURSIVE below(oid) AS (
    SELECT u.oid FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS u(oid)
    UNION
    SELECT i.inhrelid FROM below b
    JOIN pg_catalog.pg_class p ON p.oid = b.oid AND p.relkind = 'r'
    JOIN pg_catalog.pg_inherits i ON i.inhparent = b.oid
)
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relreplident
FROM below b JOIN pg_catalog.pg_class c ON c.oid = b.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid <> ALL ($1::pg_catalog.oid[]) ORDER BY n.nspname, c.relname)";

// {0}: whether a table was made as a partition of what is above it now. A column that came with the table's creation
// and was inherited then has the row that the creation wrote; attaching a table later writes it again.
// What was made before its root was published may hold rows: younger than that it must be. More than 2^31 transactions
// ago, an age is negative: so old a table counts as older than the publication, and so old a publication as older than
// any table.
// One that was unlogged for a while may, too, for its changes were not in the log. To be logged it was rewritten: its
// file must still be the one it was made with, which has the table's own number.
//
// A table reached from two named ones counts for the upper one.
constexpr const char* members_query = R"(
WITH RECURSIVE down(named, oid, links, born, depth) AS (
    SELECT u.oid, u.oid, ''::pg_catalog.text, true, 0 FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS u(oid)
    UNION ALL
    SELECT d.named, i.inhrelid, d.links || '/' || i.xmin::pg_catalog.text,
        d.born AND EXISTS (
            SELECT FROM pg_catalog.pg_attribute made JOIN pg_catalog.pg_attribute a ON a.attrelid = made.attrelid
            WHERE made.attrelid = i.inhrelid AND made.attnum = -1 AND a.attnum > 0 AND a.attinhcount > 0
              AND a.xmin::pg_catalog.text = made.xmin::pg_catalog.text
              AND a.cmin::pg_catalog.text = made.cmin::pg_catalog.text), d.depth + 1
    FROM down d
    JOIN pg_catalog.pg_class p ON p.oid = d.oid AND p.relkind = 'p'
    JOIN pg_catalog.pg_inherits i ON i.inhparent = d.oid AND NOT i.inhdetachpending
)
SELECT DISTINCT ON (c.oid) c.oid, n.nspname, c.relname, c.relpersistence, c.relreplident, c.relispartition,
    made.xmin::pg_catalog.text::pg_catalog.int8,
    r.oid, rn.nspname, r.relname, r.relkind, r.relpersistence, r.relreplident, r.relispartition,
    coalesce(pr.oid::pg_catalog.text || d.links, ''),
    coalesce(d.born AND d.depth > 0 AND c.relfilenode = c.oid
        AND pg_catalog.age(made.xmin) >= 0
        AND (pg_catalog.age(pr.xmin) < 0 OR pg_catalog.age(pr.xmin) > pg_catalog.age(made.xmin)), false),
    CASE c.relreplident WHEN 'f' THEN true WHEN 'n' THEN false ELSE EXISTS (
        SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indimmediate AND x.indisvalid
          AND CASE c.relreplident WHEN 'd' THEN x.indisprimary ELSE x.indisreplident END) END,
    CASE WHEN pr.oid IS NULL AND NOT pg_catalog.pg_has_role(r.relowner, 'USAGE') THEN 'ownership'
         WHEN NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') THEN 'select' ELSE '' END,
    pg_catalog.quote_ident(current_user)
FROM down d
JOIN pg_catalog.pg_class c ON c.oid = d.oid AND c.relkind = 'r' AND c.relpersistence = 'p'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class r ON r.oid = d.named
JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
JOIN pg_catalog.pg_attribute made ON made.attrelid = c.oid AND made.attnum = -1
LEFT JOIN pg_catalog.pg_publication pub ON pub.pubname = $2
LEFT JOIN pg_catalog.pg_publication_rel pr ON pr.prpubid = pub.oid AND pr.prrelid = d.named
ORDER BY c.oid, d.depth DESC)";

std::string obstacle_text(const std::string& kind, const Member& member, const std::string& publication,
                          const std::string& role) {
    if (kind == "ownership")
        return fmt::format(
            "our role does not own it. As its owner and a member of the role that owns the publication, run ALTER "
            "PUBLICATION {} ADD TABLE ONLY {}.{}",
            publication, member.named.schema, member.named.name);
    if (kind == "select")
        return fmt::format("our role may not read it. Run GRANT SELECT ON {} TO {}",
                           sql::quote_qualified(member.table.schema, member.table.name), role);
    return {};
}

}  // namespace

std::vector<CatalogTable> with_children(sql::Connection& connection, std::span<const CatalogTable> tables,
                                        const TableSelection& selection, const Log& log) {
    std::vector<CatalogTable> all(tables.begin(), tables.end());
    const std::string oids = list_of(tables);
    const auto found = connection.query(children_query, {sql::Param(oids)}, {6});
    for (int row = 0; row < found.rows(); ++row) {
        CatalogTable child{static_cast<Oid>(found.integer(row, 0)),
                           found.text(row, 1),
                           found.text(row, 2),
                           found.text(row, 3).front(),
                           found.text(row, 4).front(),
                           found.text(row, 5).front()};
        if (selection.excludes(child.schema, child.name)) continue;
        if (child.kind == 'r' && child.persistence == 'p' && child.schema != own_schema) {
            all.push_back(std::move(child));
            continue;
        }
        log(LogLevel::warning, fmt::format("table '{}.{}' inherits from a table of the group and is left out: {}",
                                           child.schema, child.name,
                                           child.kind == 'f'          ? "it is a foreign table"
                                           : child.persistence == 'u' ? "it is unlogged"
                                           : child.persistence == 't' ? "it is temporary"
                                                                      : own_schema_reason));
    }
    return all;
}

std::vector<Member> find_members(sql::Connection& connection, std::span<const CatalogTable> tables,
                                 const std::string& publication, bool via_partition_root) {
    const std::string oids = list_of(tables);
    const auto found = connection.query(members_query, {sql::Param(oids), sql::Param(publication)}, {19});
    std::vector<Member> members;
    for (int row = 0; row < found.rows(); ++row) {
        Member member;
        member.table = {static_cast<Oid>(found.integer(row, 0)),
                        found.text(row, 1),
                        found.text(row, 2),
                        'r',
                        found.text(row, 3).front(),
                        found.text(row, 4).front(),
                        found.boolean(row, 5)};
        member.created_xid = static_cast<std::uint32_t>(found.integer(row, 6));
        member.named = {static_cast<Oid>(found.integer(row, 7)),
                        found.text(row, 8),
                        found.text(row, 9),
                        found.text(row, 10).front(),
                        found.text(row, 11).front(),
                        found.text(row, 12).front(),
                        found.boolean(row, 13)};
        const CatalogTable& delivered = via_partition_root ? member.named : member.table;
        member.delivered_oid = delivered.oid;
        member.delivered_as = {delivered.schema, delivered.name};
        member.capture = found.text(row, 14);
        member.starts_empty = found.boolean(row, 15);
        member.has_identity = found.boolean(row, 16);
        member.obstacle = obstacle_text(found.text(row, 17), member, publication, found.text(row, 18));
        members.push_back(std::move(member));
    }
    return members;
}

std::set<Oid> unpublished_without_key(sql::Connection& connection, std::span<const CatalogTable> tables,
                                      const std::string& publication) {
    const std::string oids = list_of(tables);
    const auto found = connection.query(
        "SELECT c.oid FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1::pg_catalog.oid[]) AND c.relkind = 'p' "
        "AND NOT EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indisprimary) "
        "AND NOT EXISTS (SELECT FROM pg_catalog.pg_partition_tree(c.oid) t WHERE t.isleaf) "
        "AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p "
        "ON p.oid = r.prpubid WHERE r.prrelid = c.oid AND p.pubname = $2)",
        {sql::Param(oids), sql::Param(publication)}, {1});
    std::set<Oid> without;
    for (int row = 0; row < found.rows(); ++row) without.insert(static_cast<Oid>(found.integer(row, 0)));
    return without;
}

std::optional<Lsn> empty_since(sql::Connection& connection, Oid table) {
    const std::string oid = std::to_string(table);
    // First: whoever committed before this has written its pages by the time they are counted.
    const auto wal = connection
                         .query(
                             "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN "
                             "pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_insert_lsn() END",
                             {}, {1, 1, 1})
                         .text(0, 0);
    connection.exec(fmt::format("SET lock_timeout = '{}'", sql::gives_way_after));
    bool empty = false;
    try {
        empty =
            connection
                .query("SELECT coalesce(pg_catalog.pg_relation_size($1::pg_catalog.oid::pg_catalog.regclass), 1) = 0",
                       {sql::Param(oid)}, {1, 1, 1})
                .boolean(0, 0);
    } catch (const SqlError& error) {
        if (!sql::is_lock_timeout(error)) throw;
    }
    connection.exec("SET lock_timeout = 0");
    return empty ? parse_lsn(wal) : std::nullopt;
}

std::map<Oid, Existing> find_existing(sql::Connection& connection, std::span<const Oid> tables) {
    const std::string oids = list_of(tables);
    const auto found = connection.query(
        "SELECT c.oid, made.xmin::pg_catalog.text::pg_catalog.int8, n.nspname, c.relname "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_attribute made ON made.attrelid = c.oid AND made.attnum = -1 "
        "WHERE c.oid = ANY ($1::pg_catalog.oid[])",
        {sql::Param(oids)}, {4});
    std::map<Oid, Existing> existing;
    for (int row = 0; row < found.rows(); ++row)
        existing[static_cast<Oid>(found.integer(row, 0))] = {static_cast<std::uint32_t>(found.integer(row, 1)),
                                                             {found.text(row, 2), found.text(row, 3)}};
    return existing;
}

bool all_locked(sql::Connection& connection, std::span<const Oid> tables) {
    const std::string oids = list_of(tables);
    return connection
        .query(
            "SELECT NOT EXISTS (SELECT FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS u(oid) WHERE NOT EXISTS ("
            "SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'relation' AND l.relation = u.oid AND l.granted "
            "AND l.pid = pg_catalog.pg_backend_pid() AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d "
            "WHERE d.datname = pg_catalog.current_database())))",
            {sql::Param(oids)}, {1, 1, 1})
        .boolean(0, 0);
}

}  // namespace pgsluice
