#include "sinks/postgres_sequences.h"

#include <fmt/format.h>

namespace pgsluice {

namespace {

// Sequences of serial (dependency 'a') and identity ('i') columns that lead an index and count upwards.
constexpr const char* owned_query =
    "SELECT format('%I.%I', n.nspname, s.relname), quote_ident(a.attname) "
    "FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' "
    "JOIN pg_namespace n ON n.oid = s.relnamespace JOIN pg_sequence q ON q.seqrelid = s.oid "
    "JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid "
    "WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass($1) "
    "AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i') AND q.seqincrement > 0 AND EXISTS (SELECT FROM pg_index i WHERE "
    "i.indrelid = d.refobjid AND i.indkey[0] = d.refobjsubid AND i.indpred IS NULL AND i.indisvalid)";

}  // namespace

const std::vector<PostgresSequences::Owned>& PostgresSequences::owned_by(const std::string& table) {
    const auto known = owned_.find(table);
    if (known != owned_.end()) return known->second;
    auto& owned = owned_[table];
    const auto rows = connection_.query(owned_query, {table}, {2});
    for (int row = 0; row < rows.rows(); ++row) owned.push_back({rows.text(row, 0), rows.text(row, 1)});
    return owned;
}

void PostgresSequences::follow(const std::set<std::string>& tables, std::int64_t headroom) {
    for (const std::string& table : tables) {
        for (const Owned& owned : owned_by(table)) {
            if (refused_.contains(owned.sequence)) continue;
            try {
                connection_.query(
                    fmt::format("SELECT setval($1::regclass, least(m.value + $2::bigint, q.seqmax)) "
                                "FROM (SELECT max({})::bigint AS value FROM {}) m, {} AS s, pg_sequence q "
                                "WHERE q.seqrelid = $1::regclass AND m.value BETWEEN q.seqmin AND q.seqmax "
                                "AND (m.value > s.last_value OR m.value = s.last_value AND NOT s.is_called)",
                                owned.column, table, owned.sequence),
                    {owned.sequence, std::to_string(headroom)}, {1, 0, 1});
            } catch (const SqlError& error) {
                if (error.action() == Action::retry) throw;
                refused_.insert(owned.sequence);
                log_(LogLevel::warning, fmt::format("sequence {} on the target does not follow the source: {}",
                                                    owned.sequence, error.what()));
            }
        }
    }
}

}  // namespace pgsluice
