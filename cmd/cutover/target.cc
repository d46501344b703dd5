#include "cmd/cutover/target.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sinks/postgres/array.h"
#include "sinks/postgres/rights/as_owner.h"
#include "sql/error.h"
#include "sql/quote.h"
#include "stream/table_pattern.h"

namespace pgsluice {

namespace {

struct Named {
    std::string table;
    std::string name;
    std::string state;
};

std::vector<Named> named_in(const sql::Result& rows) {
    std::vector<Named> all;
    for (int row = 0; row < rows.rows(); ++row)
        all.push_back({rows.text(row, 0), rows.text(row, 1), rows.text(row, 2)});
    return all;
}

// What `query` finds on the source, with the target's names: $1 tables of the source, $2 of the target.
std::vector<Named> wanted_by(sql::Connection& source, std::span<const TablePair> tables, const char* query) {
    std::vector<std::string> from;
    std::vector<std::string> to;
    for (const TablePair& pair : tables) {
        from.push_back(pair.source);
        to.push_back(pair.target);
    }
    return named_in(source.query(query, {text_array(from), text_array(to)}, {3}));
}

// Those of `wanted` that `query` finds on the target: $1 tables, $2 names.
std::vector<Named> found_on(sql::Connection& target, const std::vector<Named>& wanted, const char* query) {
    std::vector<std::string> tables;
    std::vector<std::string> names;
    std::vector<std::string> states;
    for (const Named& each : wanted) {
        tables.push_back(each.table);
        names.push_back(each.name);
        states.push_back(each.state);
    }
    return named_in(target.query(query, {text_array(tables), text_array(names), text_array(states)}, {3}));
}

constexpr const char* triggers_of_source =
    "SELECT DISTINCT t.target, g.tgname, g.tgenabled FROM unnest($1::text[], $2::text[]) t (name, target) JOIN "
    "pg_trigger g ON g.tgrelid = to_regclass(t.name) WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' ORDER BY 1, 2";
constexpr const char* disabled_on_target =
    "SELECT t.name, t.trigger, t.state FROM unnest($1::text[], $2::text[], $3::text[]) t (name, trigger, state) JOIN "
    "pg_trigger g ON g.tgrelid = to_regclass(t.name) AND g.tgname = t.trigger WHERE NOT g.tgisinternal AND "
    "g.tgenabled = 'D'";

constexpr const char* constraints_of_source =
    "SELECT DISTINCT t.target, k.conname, k.contype FROM unnest($1::text[], $2::text[]) t (name, target) JOIN "
    "pg_constraint k ON k.conrelid = to_regclass(t.name) WHERE k.contype IN ('c', 'f', 'n') AND k.convalidated ORDER "
    "BY 1, 2";
constexpr const char* invalid_on_target =
    "SELECT t.name, t.key, t.state FROM unnest($1::text[], $2::text[], $3::text[]) t (name, key, state) JOIN "
    "pg_constraint k ON k.conrelid = to_regclass(t.name) AND k.conname = t.key AND k.contype::text = t.state WHERE NOT "
    "k.convalidated";

const char* enabling(const std::string& state) {
    if (state == "A") return "ENABLE ALWAYS TRIGGER";
    return state == "R" ? "ENABLE REPLICA TRIGGER" : "ENABLE TRIGGER";
}

// Checks call functions of the table's owner: they run with its rights, and no more.
void validate(sql::Connection& target, const Named& constraint) {
    target.exec("BEGIN");
    try {
        run_as_owner(target, owner_of(target, {parse_table_name(constraint.table, "")}, std::nullopt),
                     fmt::format("ALTER TABLE {} VALIDATE CONSTRAINT {}", constraint.table,
                                 sql::quote_identifier(constraint.name)));
        target.exec("COMMIT");
    } catch (const SqlError&) {
        target.exec("ROLLBACK");
        throw;
    }
}

bool is_broken_by_rows(const SqlError& error) {
    const std::string& state = error.sqlstate();
    return state == "23503" || state == "23514" || state == "23502";
}

}  // namespace

void require_may_finish(sql::Connection& target, std::span<const std::string> tables) {
    const auto others = target.query(
        "SELECT t.name, pg_get_userbyid(c.relowner), current_user FROM unnest($1::text[]) t (name) JOIN pg_class c ON "
        "c.oid = to_regclass(t.name) WHERE NOT pg_has_role(c.relowner, 'USAGE') UNION ALL SELECT 'pgsluice.sequences', "
        "pg_get_userbyid(c.relowner), current_user FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
        "n.nspname = 'pgsluice' AND c.relname = 'sequences' AND NOT pg_has_role(c.relowner, 'USAGE') LIMIT 1",
        {text_array(tables)}, {3, 0, 1});
    if (others.rows() == 0) return;
    throw stop_error(fmt::format("unable to cut over: the target's table {} belongs to '{}', and the role is '{}'",
                                 others.text(0, 0), others.text(0, 1), others.text(0, 2)),
                     "Give a --target-url of a superuser, or of a role that has the rights of the tables' owner and of "
                     "the worker's role.");
}

std::vector<std::string> enable_triggers(sql::Connection& source, sql::Connection& target,
                                         std::span<const TablePair> tables) {
    std::vector<std::string> enabled;
    const auto on_source = wanted_by(source, tables, triggers_of_source);
    for (const Named& trigger : found_on(target, on_source, disabled_on_target)) {
        target.exec(fmt::format("ALTER TABLE {} {} {}", trigger.table, enabling(trigger.state),
                                sql::quote_identifier(trigger.name)));
        enabled.push_back(fmt::format("{} on {}", trigger.name, trigger.table));
    }
    return enabled;
}

Validated validate_constraints(sql::Connection& source, sql::Connection& target, std::span<const TablePair> tables) {
    Validated validated;
    const auto on_source = wanted_by(source, tables, constraints_of_source);
    for (const Named& key : found_on(target, on_source, invalid_on_target)) {
        const std::string name = fmt::format("{} on {}", key.name, key.table);
        try {
            validate(target, key);
            validated.valid.push_back(name);
        } catch (const SqlError& error) {
            if (!is_broken_by_rows(error)) throw;
            validated.refused.push_back(fmt::format("{}: {}", name, error.what()));
        }
    }
    return validated;
}

std::vector<std::string> missing_sequences(sql::Connection& target, std::span<const std::string> sequences) {
    return target
        .query(
            "SELECT s.name FROM unnest($1::text[]) s (name) WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = "
            "to_regclass(s.name) AND c.relkind = 'S')",
            {text_array(sequences)}, {1})
        .texts(0);
}

void analyze(sql::Connection& target, std::span<const std::string> tables) {
    if (!tables.empty()) target.exec(fmt::format("ANALYZE {}", fmt::join(tables, ", ")), "analyze the target's tables");
}

}  // namespace pgsluice
