#include "sql/planned_code.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pgsluice::sql {

namespace {

// What an expression calls is read from its tree, for pg_depend knows only which objects it needs. Objects of users
// have numbers from 16384 on; PostgreSQL's own functions that it computes while planning run no SQL.
constexpr const char* code = R"(
WITH RECURSIVE t (asked, oid) AS (
    SELECT u.oid, u.oid FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS u(oid)
  UNION
    SELECT t.asked, i.inhrelid FROM t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
), e (asked, what, tree) AS (
    SELECT t.asked, pg_catalog.format('index ''%s''', x.relname),
           pg_catalog.concat(i.indexprs::pg_catalog.text, i.indpred::pg_catalog.text)
    FROM t JOIN pg_catalog.pg_index i ON i.indrelid = t.oid JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
  UNION ALL
    SELECT t.asked, pg_catalog.format('statistics ''%s''', s.stxname), s.stxexprs::pg_catalog.text
    FROM t JOIN pg_catalog.pg_statistic_ext s ON s.stxrelid = t.oid WHERE s.stxexprs IS NOT NULL
  UNION ALL
    SELECT t.asked, 'the partition key', p.partexprs::pg_catalog.text
    FROM t JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = t.oid WHERE p.partexprs IS NOT NULL
)
SELECT DISTINCT ON (e.asked) e.asked, pg_catalog.format('%s calls %s of ''%s''', e.what,
    p.oid::pg_catalog.regprocedure, pg_catalog.pg_get_userbyid(p.proowner))
FROM e CROSS JOIN pg_catalog.regexp_matches(e.tree, ':(funcid|opno) ([0-9]+)', 'g') AS m
LEFT JOIN pg_catalog.pg_operator o ON m[1] = 'opno' AND o.oid = m[2]::pg_catalog.oid
JOIN pg_catalog.pg_proc p
    ON p.oid = CASE m[1] WHEN 'opno' THEN o.oprcode::pg_catalog.oid ELSE m[2]::pg_catalog.oid END
WHERE p.oid >= 16384 AND NOT pg_catalog.pg_has_role(p.proowner, current_user, 'MEMBER')
ORDER BY e.asked, 2)";

}  // namespace

std::map<std::uint32_t, std::string> code_run_by_planning(Connection& connection,
                                                          std::span<const std::uint32_t> tables) {
    const std::string oids = fmt::format("{{{}}}", fmt::join(tables, ","));
    const Result found = connection.query(code, {Param(oids)}, Shape{2});
    std::map<std::uint32_t, std::string> result;
    for (int row = 0; row < found.rows(); ++row)
        result[static_cast<std::uint32_t>(found.integer(row, 0))] = found.text(row, 1);
    return result;
}

std::string code_run_by_planning(Connection& connection, std::uint32_t table) {
    const auto found = code_run_by_planning(connection, std::span(&table, 1));
    return found.empty() ? std::string() : found.begin()->second;
}

}  // namespace pgsluice::sql
