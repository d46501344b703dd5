#include "sinks/postgres/sequences/source_values.h"

namespace pgsluice {

namespace {

constexpr const char* lags =
    " AS s, pg_sequence q WHERE q.seqrelid = $1::regclass AND (CASE WHEN q.seqincrement > 0 THEN s.last_value < "
    "$2::bigint ELSE s.last_value > $2::bigint END OR s.last_value = $2::bigint AND NOT s.is_called AND $3::bool)";

}  // namespace

std::vector<PostgresSequences::Moved> take_source_values(sql::Connection& source, sql::Connection& target,
                                                         const std::vector<std::string>& sequences) {
    std::vector<PostgresSequences::Moved> moved;
    for (const std::string& name : sequences) {
        if (!target.query("SELECT to_regclass($1) IS NOT NULL", {name}, {1, 1, 1}).boolean(0, 0)) continue;
        const auto value = source.query("SELECT last_value, is_called FROM " + name, {}, {2, 1, 1});
        const auto set =
            target.query("SELECT s.last_value, setval($1::regclass, $2::bigint, $3::bool) FROM " + name + lags,
                         {name, value.get(0, 0), value.get(0, 1)}, {2, 0, 1});
        if (set.rows() == 1) moved.push_back({name, set.integer(0, 0), set.integer(0, 1)});
    }
    return moved;
}

}  // namespace pgsluice
