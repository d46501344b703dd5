#include "sinks/postgres/sequences/source_values.h"

namespace pgsluice {

namespace {

constexpr const char* quoted_name =
    "SELECT format('%I.%I', n.nspname, s.relname) FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace "
    "WHERE s.oid = to_regclass($1) AND s.relkind = 'S'";
constexpr const char* lags =
    " AS s, pg_sequence q WHERE q.seqrelid = $1::regclass AND (CASE WHEN q.seqincrement > 0 THEN s.last_value < "
    "$2::bigint ELSE s.last_value > $2::bigint END OR s.last_value = $2::bigint AND NOT s.is_called AND $3::bool)";

// As the target has it: quoted and qualified. Nothing: it has none.
std::optional<std::string> find_sequence(sql::Connection& target, const std::string& sequence) {
    const auto found = target.query(quoted_name, {sequence}, {1, 0, 1});
    return found.rows() == 0 ? std::nullopt : std::optional(found.text(0, 0));
}

std::optional<PostgresSequences::Moved> set_where_it_lags(sql::Connection& target, const std::string& name,
                                                          const std::string& last_value, bool is_called) {
    const auto set = target.query("SELECT s.last_value, setval($1::regclass, $2::bigint, $3::bool) FROM " + name + lags,
                                  {name, last_value, is_called ? "true" : "false"}, {2, 0, 1});
    if (set.rows() == 0) return std::nullopt;
    return PostgresSequences::Moved{name, set.integer(0, 0), set.integer(0, 1)};
}

}  // namespace

std::optional<PostgresSequences::Moved> take_source_value(sql::Connection& target, const std::string& sequence,
                                                          const std::string& last_value, bool is_called) {
    const auto name = find_sequence(target, sequence);
    return name ? set_where_it_lags(target, *name, last_value, is_called) : std::nullopt;
}

std::vector<PostgresSequences::Moved> take_source_values(sql::Connection& source, sql::Connection& target,
                                                         const std::vector<std::string>& sequences) {
    std::vector<PostgresSequences::Moved> moved;
    for (const std::string& sequence : sequences) {
        const auto name = find_sequence(target, sequence);
        if (!name) continue;
        const auto value = source.query("SELECT last_value, is_called FROM " + sequence, {}, {2, 1, 1});
        if (auto set = set_where_it_lags(target, *name, value.text(0, 0), value.boolean(0, 1)))
            moved.push_back(*std::move(set));
    }
    return moved;
}

}  // namespace pgsluice
