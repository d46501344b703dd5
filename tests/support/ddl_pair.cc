#include "tests/support/ddl_pair.h"

#include <fmt/format.h>

#include "sql/error.h"
#include "stream/definition/definition_message.h"
#include "stream/format/ddl_message.h"
#include "tests/support/postgres_server.h"

namespace pgsluice::test {

namespace {

constexpr const char* joining = "n.nspname LIKE 'f%'";

// Names are qualified: the search_path is empty.
constexpr const char* catalog = R"(
WITH n AS (SELECT oid, nspname, nspowner FROM pg_namespace WHERE nspname LIKE 'f%'),
c AS (SELECT c.* FROM pg_class c JOIN n ON n.oid = c.relnamespace)
SELECT * FROM (
SELECT concat_ws(' ', 'schema', nspname, pg_get_userbyid(nspowner), obj_description(oid, 'pg_namespace')) AS line FROM n
UNION ALL
SELECT concat_ws(' ', 'table', c.oid::regclass, c.relkind, c.relpersistence, c.reloptions::text, c.relrowsecurity,
    c.relforcerowsecurity, c.relreplident, pg_get_userbyid(c.relowner), pg_get_expr(c.relpartbound, c.oid),
    pg_get_partkeydef(c.oid), (SELECT string_agg(inhparent::regclass::text, ',' ORDER BY inhseqno) FROM pg_inherits
    WHERE inhrelid = c.oid), obj_description(c.oid, 'pg_class')) FROM c WHERE relkind IN ('r', 'p')
UNION ALL
SELECT concat_ws(' ', 'column', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    a.attidentity, a.attgenerated, a.attstorage, a.attcompression, a.attislocal, a.attinhcount,
    CASE WHEN a.attcollation <> 0 THEN a.attcollation::regcollation::text END, pg_get_expr(d.adbin, d.adrelid),
    col_description(c.oid, a.attnum))
FROM c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE relkind IN ('r', 'p')
UNION ALL
SELECT concat_ws(' ', 'constraint', c.oid::regclass, k.conname, pg_get_constraintdef(k.oid), k.convalidated,
    k.conislocal, k.coninhcount, obj_description(k.oid, 'pg_constraint'))
FROM c JOIN pg_constraint k ON k.conrelid = c.oid
UNION ALL
SELECT concat_ws(' ', 'index', pg_get_indexdef(c.oid), i.indisvalid, i.indisreplident, c.reloptions::text,
    (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = c.oid), obj_description(c.oid, 'pg_class'))
FROM c JOIN pg_index i ON i.indexrelid = c.oid
UNION ALL
SELECT concat_ws(' ', 'sequence', c.oid::regclass, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin,
    s.seqmax, s.seqcache, s.seqcycle, d.refobjid::regclass, a.attname, obj_description(c.oid, 'pg_class'))
FROM c JOIN pg_sequence s ON s.seqrelid = c.oid
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
    AND d.refclassid = 'pg_class'::regclass
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
UNION ALL
SELECT concat_ws(' ', 'type', t.oid::regtype, t.typtype, pg_get_userbyid(t.typowner), t.typnotnull, t.typdefault,
    CASE WHEN t.typbasetype <> 0 THEN format_type(t.typbasetype, t.typtypmod) END,
    (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
    (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ',' ORDER BY attname) FROM pg_attribute
     WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped AND t.typtype = 'c'),
    (SELECT string_agg(conname || ' ' || pg_get_constraintdef(oid), ',' ORDER BY conname) FROM pg_constraint
     WHERE contypid = t.oid),
    (SELECT concat_ws(',', rngsubtype::regtype, rngsubdiff, rngmultitypid::regtype) FROM pg_range WHERE rngtypid = t.oid),
    obj_description(t.oid, 'pg_type'))
FROM pg_type t JOIN n ON n.oid = t.typnamespace LEFT JOIN pg_class r ON r.oid = t.typrelid
WHERE t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND r.relkind = 'c')
UNION ALL
SELECT concat_ws(' ', 'statistics', pg_get_statisticsobjdef(s.oid), obj_description(s.oid, 'pg_statistic_ext'))
FROM pg_statistic_ext s JOIN n ON n.oid = s.stxnamespace
UNION ALL
SELECT concat_ws(' ', 'extension', e.extname, e.extversion) FROM pg_extension e WHERE extname <> 'plpgsql'
) all_of_it ORDER BY line)";

constexpr const char* tables_of =
    "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname LIKE "
    "'f%' AND c.relkind = 'r' ORDER BY 1";

}  // namespace

DdlPair::DdlPair() : source_("", joining), target_(shared_postgres().create_database()) {
    options_.target = shared_postgres().connect(target_);
    options_.target.role = "target";
    options_.group = "g";
    options_.worker = "postgres";
    sink_ = make_postgres_sink(options_, [this](LogLevel, std::string_view line) { log_.emplace_back(line); }, {});
    sink_->open();
}

void DdlPair::on_target(const std::string& statements) { shared_postgres().sql(target_, statements); }

std::string DdlPair::apply(bool convert) {
    log_.clear();
    bool copies = false;
    for (const std::string& content : source_.messages()) {
        DefinitionMessage message = decode_definitions(content);
        for (DefinitionChange& change : message.objects) {
            change.recopy = change.rewritten != 0 && !convert;
            copies = copies || change.recopy || (!change.before && class_of(change) == "table");
        }
        feed_.message(ddl_message_prefix, encode(message));
        try {
            sink_->apply(feed_.complete());
        } catch (const Error& error) {
            return error.what();
        }
    }
    if (copies) copy_rows();
    return "";
}

void DdlPair::copy_rows() {
    for (const std::string& table : shared_postgres().rows(target_, tables_of)) copy_table(table);
}

void DdlPair::copy_table(const std::string& table) {
    PostgresServer& server = shared_postgres();
    const std::string columns = server.scalar(
        target_,
        "SELECT coalesce(string_agg(quote_ident(attname), ',' ORDER BY attnum), '') FROM pg_attribute WHERE "
        "attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attrelid = '" +
            table + "'::regclass");
    if (columns.empty()) return;
    const std::string rows = source_.scalar(fmt::format(
        "SELECT coalesce(string_agg('(' || v || ')', ','), '') FROM (SELECT (SELECT string_agg(quote_nullable(value), "
        "', ' ORDER BY o) FROM unnest(ARRAY[{}]) WITH ORDINALITY u(value, o)) AS v FROM ONLY {}) x",
        "(" +
            [&] {
                std::string texts = columns;
                for (std::size_t at = 0; (at = texts.find(',', at)) != std::string::npos; at += 9)
                    texts.replace(at, 1, ")::text,(");
                return texts;
            }() +
            ")::text",
        table));
    server.sql(target_,
               fmt::format("SET session_replication_role = replica; DELETE FROM ONLY {}{}", table,
                           rows.empty() ? ""
                                        : fmt::format("; INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES {}", table,
                                                      columns, rows)));
}

std::vector<std::string> DdlPair::source_state() { return state_of(source_.database()); }
std::vector<std::string> DdlPair::target_state() { return state_of(target_); }

std::vector<std::string> DdlPair::state_of(const std::string& database) {
    PostgresServer& server = shared_postgres();
    std::vector<std::string> lines = server.rows(database, catalog);
    for (const std::string& table : server.rows(database, tables_of)) {
        const std::string columns = server.scalar(
            database,
            "SELECT coalesce(string_agg(quote_ident(attname), ',' ORDER BY attname), '1') FROM pg_attribute "
            "WHERE attnum > 0 AND NOT attisdropped AND attrelid = '" +
                table + "'::regclass");
        for (const std::string& row :
             server.rows(database, fmt::format("SELECT {} FROM ONLY {} ORDER BY 1", columns, table)))
            lines.push_back("row of " + table + ": " + row);
    }
    return lines;
}

}  // namespace pgsluice::test
