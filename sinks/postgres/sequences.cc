#include "sinks/postgres/sequences.h"

#include <fmt/format.h>

#include <vector>

#include "sinks/postgres/array.h"

namespace pgsluice {

namespace {

// Sequences of serial (dependency 'a') and identity ('i') columns of the tables and of the tables they inherit from,
// where the written table has an index that the column leads.
constexpr const char* owned_query =
    "WITH RECURSIVE up AS ("
    "  SELECT c.oid AS written, w.name, c.oid FROM unnest($1::text[]) AS w(name) "
    "  JOIN pg_class c ON c.oid = to_regclass(w.name)"
    "  UNION SELECT up.written, up.name, i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.oid) "
    "SELECT format('%I.%I', n.nspname, s.relname), up.name, quote_ident(a.attname), q.seqincrement > 0 "
    "FROM up JOIN pg_depend d ON d.refobjid = up.oid JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' "
    "JOIN pg_namespace n ON n.oid = s.relnamespace JOIN pg_sequence q ON q.seqrelid = s.oid "
    "JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid "
    "JOIN pg_attribute w ON w.attrelid = up.written AND w.attname = a.attname "
    "WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 "
    "AND d.deptype IN ('a', 'i') AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = up.written "
    "AND i.indkey[0] = w.attnum AND i.indpred IS NULL AND i.indisvalid)";

constexpr const char* ascending_query =
    "SELECT setval($1::regclass, least(m.value + $2::bigint, q.seqmax)) "
    "FROM (SELECT max({})::bigint AS value FROM {}) m, {} AS s, pg_sequence q "
    "WHERE q.seqrelid = $1::regclass AND m.value BETWEEN q.seqmin AND q.seqmax "
    "AND (m.value > s.last_value OR m.value = s.last_value AND NOT s.is_called)";
constexpr const char* descending_query =
    "SELECT setval($1::regclass, greatest(m.value - $2::bigint, q.seqmin)) "
    "FROM (SELECT min({})::bigint AS value FROM {}) m, {} AS s, pg_sequence q "
    "WHERE q.seqrelid = $1::regclass AND m.value BETWEEN q.seqmin AND q.seqmax "
    "AND (m.value < s.last_value OR m.value = s.last_value AND NOT s.is_called)";

}  // namespace

bool PostgresSequences::follow(const std::set<std::string>& tables, std::int64_t headroom, Deadline deadline) {
    const auto rows =
        connection_.query(owned_query, {text_array(std::vector<std::string>(tables.begin(), tables.end()))}, {4});
    for (int row = 0; row < rows.rows(); ++row) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        follow({rows.text(row, 0), rows.text(row, 1), rows.text(row, 2), rows.boolean(row, 3)}, headroom);
    }
    return true;
}

void PostgresSequences::follow(const Owned& owned, std::int64_t headroom) {
    try {
        connection_.query(fmt::format(fmt::runtime(owned.ascending ? ascending_query : descending_query), owned.column,
                                      owned.table, owned.sequence),
                          {owned.sequence, std::to_string(headroom)}, {1, 0, 1});
        refused_.erase(owned.sequence);
    } catch (const SqlError& error) {
        if (error.action() == Action::retry) throw;
        if (!refused_.insert(owned.sequence).second) return;
        log_(LogLevel::warning,
             fmt::format("unable to advance sequence {} on the target: {}", owned.sequence, error.what()));
    }
}

}  // namespace pgsluice
