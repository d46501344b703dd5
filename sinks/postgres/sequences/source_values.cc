#include "sinks/postgres/sequences/source_values.h"

namespace pgsluice {

namespace {

constexpr const char* quoted_name =
    "SELECT format('%I.%I', n.nspname, s.relname) FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace "
    "WHERE s.oid = to_regclass($1) AND s.relkind = 'S'";
constexpr const char* lags =
    " AS s, pg_sequence q WHERE q.seqrelid = $1::regclass AND (CASE WHEN q.seqincrement > 0 THEN s.last_value < "
    "$2::bigint ELSE s.last_value > $2::bigint END OR s.last_value = $2::bigint AND NOT s.is_called AND $3::bool)";

}  // namespace

std::optional<PostgresSequences::Moved> take_source_value(sql::Connection& target, const std::string& sequence,
                                                          const std::string& last_value, bool is_called) {
    const auto found = target.query(quoted_name, {sequence}, {1, 0, 1});
    if (found.rows() == 0) return std::nullopt;
    const std::string name = found.text(0, 0);
    const auto set = target.query("SELECT s.last_value, setval($1::regclass, $2::bigint, $3::bool) FROM " + name + lags,
                                  {name, last_value, is_called ? "true" : "false"}, {2, 0, 1});
    if (set.rows() == 0) return std::nullopt;
    return PostgresSequences::Moved{name, set.integer(0, 0), set.integer(0, 1)};
}

std::vector<PostgresSequences::Moved> take_source_values(sql::Connection& source, sql::Connection& target,
                                                         const std::vector<std::string>& sequences) {
    std::vector<PostgresSequences::Moved> moved;
    for (const std::string& name : sequences) {
        const auto value = source.query("SELECT last_value, is_called FROM " + name, {}, {2, 1, 1});
        if (auto set = take_source_value(target, name, value.text(0, 0), value.boolean(0, 1)))
            moved.push_back(*std::move(set));
    }
    return moved;
}

}  // namespace pgsluice
