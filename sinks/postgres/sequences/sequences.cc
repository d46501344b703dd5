#include "sinks/postgres/sequences/sequences.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "sinks/postgres/array.h"

namespace pgsluice {

namespace {

constexpr std::uint64_t headroom_values = 1000;

// Sequences of serial (dependency 'a') and identity ('i') columns of the tables and of the tables they inherit from,
// and those that a column's default gives out without owning them (no other expression: its values say nothing of the
// sequence's), where the written table has an index that the column leads. Types: smallint and integer, or domains over
// them.
//
// LATERAL and OFFSET 0 make the planner look up each row by its index, whatever it takes their number for: as plain
// joins this took minutes for a thousand tables.
constexpr const char* owned_query = R"(
WITH RECURSIVE up AS (
    SELECT c.oid AS written, w.name, c.oid FROM unnest($1::text[]) AS w(name) CROSS JOIN LATERAL (
        SELECT c.oid FROM pg_class c WHERE c.oid = to_regclass(w.name) OFFSET 0) AS c
  UNION
    SELECT up.written, up.name, i.inhparent FROM up CROSS JOIN LATERAL (
        SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = up.oid OFFSET 0) AS i
)
SELECT s.name, up.name, quote_ident(a.attname), s.ascending,
    CASE a.type WHEN 'int2'::regtype THEN 2 WHEN 'int4'::regtype THEN 4 ELSE 8 END, up.written,
    (SELECT relkind FROM pg_class WHERE oid = up.written)
FROM up CROSS JOIN LATERAL (
    SELECT d.objid, d.refobjsubid FROM pg_depend d
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = up.oid AND d.refobjsubid > 0
        AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  UNION
    SELECT d.refobjid, f.adnum FROM (
        SELECT f.oid, f.adnum FROM pg_attrdef f JOIN pg_attribute x ON x.attrelid = f.adrelid AND x.attnum = f.adnum
        WHERE f.adrelid = up.oid AND pg_get_expr(f.adbin, f.adrelid) ~ '^nextval\(''.*''::regclass\)$'
            AND EXISTS (SELECT FROM pg_type y WHERE y.oid = x.atttypid AND y.typcategory = 'N' OFFSET 0) OFFSET 0) AS f
    CROSS JOIN LATERAL (
        SELECT d.refobjid FROM pg_depend d WHERE d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
            AND d.refclassid = 'pg_class'::regclass OFFSET 0) AS d
) AS d(sequence, number) CROSS JOIN LATERAL (
    SELECT format('%I.%I', n.nspname, s.relname) AS name, q.seqincrement > 0 AS ascending
    FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace JOIN pg_sequence q ON q.seqrelid = s.oid
    WHERE s.oid = d.sequence AND s.relkind = 'S' OFFSET 0
) AS s CROSS JOIN LATERAL (
    SELECT a.attname, (SELECT coalesce(nullif(t.typbasetype, 0), t.oid) FROM pg_type t WHERE t.oid = w.atttypid) AS type
    FROM pg_attribute a JOIN pg_attribute w ON w.attrelid = up.written AND w.attname = a.attname
    WHERE a.attrelid = up.oid AND a.attnum = d.number AND EXISTS (
        SELECT FROM pg_index i WHERE i.indrelid = up.written AND i.indkey[0] = w.attnum AND i.indpred IS NULL
            AND i.indisvalid OFFSET 0) OFFSET 0
) AS a)";

// Any worker's record: two may write the same table.
constexpr const char* state_query =
    "SELECT s.last_value, s.is_called, q.seqincrement, q.seqmin, q.seqmax, "
    "(SELECT r.exact FROM pgsluice.sequences r WHERE r.sequence = $1 AND r.ahead = s.last_value AND s.is_called LIMIT "
    "1) "
    "FROM {} AS s, pg_sequence q WHERE q.seqrelid = $1::regclass";

constexpr const char* set_query =
    "SELECT setval($1::regclass, $2::bigint) FROM {} AS s WHERE s.last_value = $3::bigint AND s.is_called = $4::bool";

constexpr const char* note_query =
    "INSERT INTO pgsluice.sequences (\"group\", worker, sequence, exact, ahead) VALUES ($1, $2, $3, $4::bigint, "
    "$5::bigint) ON CONFLICT (\"group\", worker, sequence) DO UPDATE SET exact = EXCLUDED.exact, ahead = "
    "EXCLUDED.ahead";
constexpr const char* forget_query =
    "DELETE FROM pgsluice.sequences WHERE \"group\" = $1 AND worker = $2 AND sequence = ANY($3::text[])";

template <typename Integer>
std::pair<std::int64_t, std::int64_t> limits() {
    return {std::numeric_limits<Integer>::min(), std::numeric_limits<Integer>::max()};
}

std::pair<std::int64_t, std::int64_t> limits_of(std::int64_t type_bytes) {
    if (type_bytes == 2) return limits<std::int16_t>();
    return type_bytes == 4 ? limits<std::int32_t>() : limits<std::int64_t>();
}

}  // namespace

std::string PostgresSequences::Moved::text() const {
    return fmt::format("sequence {}: {}, now {}", sequence, from, to);
}

std::vector<PostgresSequences::Owned> PostgresSequences::owned_by(const std::set<std::string>& tables) {
    const auto rows =
        connection_.query(owned_query, {text_array(std::vector<std::string>(tables.begin(), tables.end()))}, {7});
    std::vector<Owned> all;
    for (int row = 0; row < rows.rows(); ++row) {
        const auto [min, max] = limits_of(rows.integer(row, 4));
        const std::string kind = rows.text(row, 6);
        WrittenTable table{rows.text(row, 1), static_cast<Oid>(rows.integer(row, 5)), kind == "p", kind == "f"};
        all.push_back({rows.text(row, 0), std::move(table), rows.text(row, 2), rows.boolean(row, 3), min, max});
    }
    return all;
}

SequenceState PostgresSequences::state_of(const Owned& owned) {
    const auto row =
        connection_.query(fmt::format(fmt::runtime(state_query), owned.sequence), {owned.sequence}, {6, 1, 1});
    SequenceState state;
    state.last_value = row.integer(0, 0);
    state.is_called = row.boolean(0, 1);
    state.increment = row.integer(0, 2);
    state.min = std::max(row.integer(0, 3), owned.type_min);
    state.max = std::min(row.integer(0, 4), owned.type_max);
    if (row.get(0, 5)) state.exact = row.integer(0, 5);
    state.outermost = outermost_of(owned);
    return state;
}

std::optional<std::int64_t> PostgresSequences::outermost_of(const Owned& owned) {
    connection_.exec("BEGIN");
    guard_.forget();
    try {
        const auto outermost = guard_.read(
            connection_, owned.table,
            fmt::format("SELECT pg_catalog.{}({})::pg_catalog.int8 FROM {}{}", owned.ascending ? "max" : "min",
                        owned.column, owned.table.partitioned ? "" : "ONLY ", owned.table.name));
        guard_.end(connection_);
        connection_.exec("COMMIT");
        return outermost;
    } catch (const Error& error) {
        guard_.ended();
        if (error.action() != Action::retry) connection_.exec("ROLLBACK");
        throw;
    }
}

bool PostgresSequences::set(const Owned& owned, const SequenceState& state, std::int64_t value) {
    const auto done = connection_.query(
        fmt::format(fmt::runtime(set_query), owned.sequence),
        {owned.sequence, std::to_string(value), std::to_string(state.last_value), state.is_called ? "t" : "f"},
        {1, 0, 1});
    return done.rows() == 1;
}

void PostgresSequences::note(const Owned& owned, const SequencePosition& position) {
    connection_.query(note_query,
                      {group_, worker_, owned.sequence, std::to_string(position.exact), std::to_string(position.value)},
                      {0});
}

bool PostgresSequences::try_move(const Owned& owned, std::uint64_t headroom, Moved& moved) {
    const SequenceState state = state_of(owned);
    const auto position = sequence_position(state, headroom);
    // Before: what is set and not noted would stay ahead for ever.
    if (position && position->value != position->exact) note(owned, *position);
    if (position) moved = {owned.sequence, state.last_value, position->value};
    return position && set(owned, state, position->value);
}

bool PostgresSequences::move(const Owned& owned, std::uint64_t headroom, Moved& moved) {
    try {
        const bool done = try_move(owned, headroom, moved);
        refused_.erase(owned.sequence);
        return done;
    } catch (const Error& error) {
        if (error.action() == Action::retry) throw;
        if (refused_.insert(owned.sequence).second)
            log_(LogLevel::warning,
                 fmt::format("unable to set sequence {} on the target: {}", owned.sequence, error.what()));
        return false;
    }
}

std::vector<PostgresSequences::Moved> PostgresSequences::level(const std::set<std::string>& tables, Deadline deadline,
                                                               bool* complete) {
    std::vector<Moved> all;
    std::vector<std::string> done;
    const std::vector<Owned> owned = owned_by(tables);
    for (const Owned& each : owned) {
        if (std::chrono::steady_clock::now() >= deadline) break;
        Moved moved;
        if (move(each, 0, moved)) all.push_back(std::move(moved));
        done.push_back(each.sequence);
    }
    if (!done.empty()) connection_.query(forget_query, {group_, worker_, text_array(done)}, {0});
    if (complete != nullptr) *complete = done.size() == owned.size();
    return all;
}

void PostgresSequences::keep_ahead(const std::set<std::string>& tables) {
    Moved moved;
    for (const Owned& owned : owned_by(tables)) move(owned, headroom_values, moved);
}

}  // namespace pgsluice
