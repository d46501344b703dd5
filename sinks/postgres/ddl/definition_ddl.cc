#include "sinks/postgres/ddl/definition_ddl.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "sinks/postgres/array.h"
#include "sinks/postgres/ddl/ddl_wait.h"
#include "sinks/postgres/own_rows.h"
#include "sinks/postgres/rights/as_owner.h"
#include "sinks/postgres/rights/target_owner.h"
#include "sql/error.h"
#include "sql/quote.h"
#include "sql/sqlstate.h"

namespace pgsluice {

struct DefinitionDdl::Step {
    const DerivedStatement& statement;
    DdlPlace place;
    std::string what;  // for messages: "drop table on table 'public.t' at 0/16B2D50:3"
    bool contained = false;
};

namespace {

// {} the group and worker, as flags.
constexpr const char* decide =
    "Decide on this command alone: `pgsluice ddl skip {0}` leaves it out, `pgsluice ddl apply {0}` applies it.";

constexpr const char* by_hand =
    "Make the change on the target by hand, as far as the rules let its values pass, then leave the command out with "
    "`pgsluice ddl skip {0}`. Where rows may differ then, `pgsluice resnapshot --tables` copies the table again.";

constexpr const char* after_dropping =
    "Drop on the target what depends on it, then `pgsluice ddl apply {0}` tries the command again; or leave the "
    "command "
    "out with `pgsluice ddl skip {0}`.";

constexpr const char* after_mending =
    "Mend the reason on the target and start the worker again, which tries the command again; or make the change by "
    "hand, leave the command out with `pgsluice ddl skip {0}`, and start the worker again.";

std::string with_flags(const char* hint, const PostgresSinkOptions& options) {
    return fmt::format(fmt::runtime(hint), fmt::format("--group {} --worker-name {}", options.group, options.worker));
}

template <std::size_t N>
bool is_one_of(const SqlError& error, const std::array<std::string_view, N>& states) {
    return std::find(states.begin(), states.end(), error.sqlstate()) != states.end();
}

// Table, index, sequence, statistics or type; constraint; second primary key; schema; column; enum label.
bool is_there(const SqlError& error) {
    constexpr std::array<std::string_view, 6> states{"42P07", "42710", "42P16", "42723", "42P06", "42701"};
    return is_one_of(error, states);
}

bool is_gone(const SqlError& error) {
    constexpr std::array<std::string_view, 4> states{"42P01", "42704", "3F000", "42703"};
    return is_one_of(error, states);
}

// Attached already, or another partition is where this one was.
bool is_attached(const DerivedStatement& statement, const SqlError& error) {
    constexpr std::array<std::string_view, 2> states{"42809", "42P17"};
    return statement.kind == DdlKind::partition && is_one_of(error, states);
}

std::string refusal(const std::string& what, const std::string& reason, const DerivedStatement& statement) {
    return fmt::format("unable to apply {}: {} ({})", what, reason, statement.shown());
}

// The copy writes over the values that a default computes here.
DerivedStatement for_kept_rows(DerivedStatement statement) {
    if (!statement.kept_text.empty()) statement.text = statement.kept_text;
    return statement;
}

std::string named(const DerivedStatement& statement, const DdlPlace& place) {
    return fmt::format("{} on {} at {}", name_of(statement.kind), statement.object, to_string(place.position));
}

}  // namespace

void DefinitionDdl::apply(const Change& change, bool contained) {
    const auto statements = derive(decode_definitions(change.content));
    there_.clear();
    kept_here_.clear();
    apply_noted(statements, contained);
    std::size_t number = 0;
    for (const DerivedStatement& statement : statements) {
        const DdlPlace place{change.position, ++number};
        apply({statement, place, named(statement, place), contained});
    }
}

// Indexes of this transaction that were to be built after it, and that its next commands may need.
void DefinitionDdl::apply_noted(const std::vector<DerivedStatement>& before, bool contained) {
    if (!builds_.any_noted() || !builds_.concern(session_.connection, before)) return;
    for (const auto& noted : builds_.take_back(session_.connection))
        run_in_savepoint({noted.statement, noted.place, named(noted.statement, noted.place), contained});
}

void DefinitionDdl::apply(const Step& step) {
    const bool recopy = step.statement.kind == DdlKind::recopy;
    if (is_left_out(step) || (recopy && is_left_out_too(step))) return;
    const bool stay = recopy && step.statement.keeps_rows;
    if (stay || !is_wanted(step)) {
        if (recopy) keep_rows(step.statement);
        return;
    }
    if (!builds_.takes(session_.connection, step.statement)) return run_in_savepoint(step);
    builds_.note(session_.connection, step.statement, step.place);
    log_(LogLevel::info, fmt::format("to be built beside the stream: {}", step.what));
}

// By its condition.
bool DefinitionDdl::is_left_out(const Step& step) {
    const DerivedStatement& statement = step.statement;
    if (statement.only_if_missing && there_.contains(statement.object)) return true;
    if (statement.condition.empty()) return false;
    const auto met = session_.connection.query("SELECT " + statement.condition, {}, {1, 1, 1});
    if (met.boolean(0, 0)) return false;
    if (statement.only_if_missing && statement.creates) there_.insert(statement.object);
    if (!statement.otherwise.empty())
        log_(LogLevel::warning, fmt::format("not applied: {}: {}", step.what, statement.otherwise));
    return true;
}

// By policy and decisions.
bool DefinitionDdl::is_wanted(const Step& step) {
    const DerivedStatement& statement = step.statement;
    if (statement.kind == DdlKind::owner && target_owner(options_)) return false;
    const auto policy = options_.ddl_policy.of(statement.kind, statement.tables());
    if (policy == DdlAction::ignore) {
        log_(LogLevel::info, fmt::format("not applied (--ddl-policy): {}", step.what));
        return false;
    }
    if (!statement.obstacle.empty()) return may_pass(step, statement.obstacle, with_flags(by_hand, options_));
    if (policy == DdlAction::stop) return may_pass(step, "--ddl-policy says stop", with_flags(decide, options_));
    if (policy == DdlAction::apply) return true;
    const std::string lost = loss(statement);
    return lost.empty() || may_pass(step, lost, with_flags(decide, options_));
}

// Commands before it have dropped what the source had on the column. What is left there would go without a word.
std::string DefinitionDdl::loss_of_column(const DerivedStatement& statement) {
    const std::string name = sql::quote_qualified(statement.table->schema, statement.table->table);
    const auto more = session_.connection.query(
        "WITH RECURSIVE below(oid) AS (SELECT pg_catalog.to_regclass($1)::pg_catalog.oid UNION SELECT i.inhrelid FROM "
        "below b JOIN pg_catalog.pg_inherits i ON i.inhparent = b.oid) "
        "SELECT pg_catalog.pg_describe_object(d.classid, d.objid, 0) FROM below b JOIN pg_catalog.pg_attribute a "
        "ON a.attrelid = b.oid AND a.attname = $2 JOIN pg_catalog.pg_depend d ON d.refclassid = "
        "'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = b.oid AND d.refobjsubid = a.attnum "
        "AND d.deptype = 'a' LEFT JOIN pg_catalog.pg_class c ON d.classid = d.refclassid AND c.oid = d.objid "
        "LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass "
        "AND k.oid = d.objid WHERE c.relkind IN ('i', 'I') OR k.contype IN ('c', 'f', 'p', 'u', 'x') "
        "OR d.classid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass ORDER BY 1 LIMIT 1",
        {sql::Param(name), sql::Param(statement.column)}, {1});
    if (more.rows() == 0) return {};
    return fmt::format(
        "the target's {} has on column '{}' what the source does not have, and it would go with the "
        "column: {}",
        name, statement.column, more.text(0, 0));
}

// What only the target has in the tables, and would go with them; or rights that the command would give away.
std::string DefinitionDdl::loss(const DerivedStatement& statement) {
    if (statement.definer && !owner(statement))
        return "it is SECURITY DEFINER, and would run with the rights of the worker's role (see --target-owner)";
    if (statement.kind == DdlKind::drop_column) return loss_of_column(statement);
    for (const auto& [table, columns] : statement.destroys) {
        const std::string name = sql::quote_qualified(table.schema, table.table);
        const auto more = session_.connection.query(
            "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 "
            "AND NOT attisdropped AND attname <> ALL ($2::text[]) ORDER BY attnum LIMIT 1",
            {sql::Param(name), sql::Param(text_array(columns))}, {1});
        if (more.rows() > 0) return fmt::format("the target's {} has a column '{}' of its own", name, more.text(0, 0));
        if (statement.kind != DdlKind::drop_table) continue;
        std::vector<std::string> dropped;
        for (const auto& other : statement.destroys)
            dropped.push_back(sql::quote_qualified(other.table.schema, other.table.table));
        const auto below = session_.connection.query(
            "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_partition_tree("
            "pg_catalog.to_regclass($1)) p JOIN pg_catalog.pg_class c ON c.oid = p.relid JOIN pg_catalog.pg_namespace "
            "n ON n.oid = c.relnamespace WHERE c.oid <> ALL (SELECT pg_catalog.to_regclass(d)::pg_catalog.oid FROM "
            "pg_catalog.unnest($2::text[]) AS u (d) WHERE pg_catalog.to_regclass(d) IS NOT NULL) LIMIT 1",
            {sql::Param(name), sql::Param(text_array(dropped))}, {1});
        if (below.rows() > 0)
            return fmt::format("the target's {} has a partition {} of its own", name, below.text(0, 0));
    }
    return {};
}

std::optional<DdlDecision> DefinitionDdl::decision(const Step& step) {
    const auto decided = decisions_ == nullptr ? std::nullopt : decisions_->find(step.place);
    if (decided == DdlDecision::skip) log_(LogLevel::warning, fmt::format("left out, as decided: {}", step.what));
    return decided;
}

// Whether the operator has decided to apply it.
bool DefinitionDdl::may_pass(const Step& step, const std::string& reason, const std::string& hint) {
    const auto decided = decision(step);
    if (decided == DdlDecision::skip) return false;
    if (decided != DdlDecision::apply || !step.statement.obstacle.empty()) wait(step, reason, hint);
    return true;
}

PendingDdl DefinitionDdl::pending(const Step& step, const std::string& reason) const {
    const DerivedStatement& statement = step.statement;
    return {step.place, std::string(name_of(statement.kind)), statement.object, statement.shown(), reason};
}

void DefinitionDdl::stop(const Step& step, const std::string& reason, const std::string& hint) {
    if (decisions_ != nullptr) decisions_->ask(pending(step, reason));
    throw stop_error(refusal(step.what, reason, step.statement), hint);
}

void DefinitionDdl::wait(const Step& step, const std::string& reason, const std::string& hint) {
    if (decisions_ == nullptr) stop(step, reason, hint);
    throw UndecidedDdl(pending(step, reason), refusal(step.what, reason, step.statement), hint);
}

void DefinitionDdl::run_in_savepoint(const Step& step) {
    sql::Connection& connection = session_.connection;
    connection.exec("SAVEPOINT pgsluice_ddl");
    try {
        run(has_kept_rows(step) ? for_kept_rows(step.statement) : step.statement);
    } catch (const SqlError& error) {
        if (error.action() == Action::retry) throw;
        connection.exec("ROLLBACK TO SAVEPOINT pgsluice_ddl");
        if (!run_emptied(step, error) && !run_unchecked(step, error) && !is_excused(step, error) &&
            !is_left_out_too(step) && decision(step) != DdlDecision::skip)
            refuse(step, error);
        connection.exec("RELEASE SAVEPOINT pgsluice_ddl");
        return;
    }
    connection.exec("RELEASE SAVEPOINT pgsluice_ddl");
    log_(LogLevel::info, fmt::format("applied: {}", step.what));
}

// A partition that rows which come again keep from being one.
bool DefinitionDdl::run_emptied(const Step& step, const SqlError& error) {
    if (step.statement.voids.empty() || error.sqlstate() != sql::check_violation) return false;
    for (const QualifiedName& table : step.statement.voids) {
        log_(LogLevel::info,
             fmt::format("emptied table '{}.{}', because its rows come again", table.schema, table.table));
        empty(table, "");
    }
    run(step.statement);
    log_(LogLevel::info, fmt::format("applied: {}", step.what));
    return true;
}

bool DefinitionDdl::run_unchecked(const Step& step, const SqlError& error) {
    if (error.sqlstate() != "23503") return false;
    bool done = false;
    try {
        done = keys_.run(step.statement, [&](const QualifiedName& table, const std::string& text) {
            DerivedStatement changed = step.statement;
            changed.table = table;
            changed.text = text;
            run(changed);
        });
    } catch (const SqlError& again) {
        if (again.action() == Action::retry) throw;
    }
    if (done)
        log_(LogLevel::info, fmt::format("applied: {}", step.what));
    else
        session_.connection.exec("ROLLBACK TO SAVEPOINT pgsluice_ddl");
    return done;
}

void DefinitionDdl::refuse(const Step& step, const SqlError& error) {
    constexpr std::string_view dependents = "2BP01";  // objects of the target's own, which would go with it
    if (error.sqlstate() == dependents) wait(step, error.what(), with_flags(after_dropping, options_));
    stop(step, error.what(), (error.hint().empty() ? "" : error.hint() + ' ') + with_flags(after_mending, options_));
}

// A recopy that is left out. What comes of its command may need the table to be empty.
void DefinitionDdl::keep_rows(const DerivedStatement& recopy) {
    const std::vector<std::string> names = kept_.keep(recopy.destroys.front().table);
    kept_here_.insert(names.begin(), names.end());
}

// What fails for rows that were kept; and emptying what is below such a table.
bool DefinitionDdl::is_left_out_too(const Step& step) {
    const bool left_out = has_kept_rows(step);
    if (left_out) log_(LogLevel::warning, fmt::format("left out with the recopy: {}", step.what));
    return left_out;
}

bool DefinitionDdl::has_kept_rows(const Step& step) const {
    const auto tables = step.statement.tables();
    return std::any_of(tables.begin(), tables.end(), [&](const QualifiedName& table) {
        return kept_here_.contains(sql::quote_qualified(table.schema, table.table));
    });
}

// Whether the target is as the command would make it.
bool DefinitionDdl::is_excused(const Step& step, const SqlError& error) {
    const DerivedStatement& statement = step.statement;
    if (statement.kind == DdlKind::owner && error.sqlstate() == "42501") {
        log_(LogLevel::warning, fmt::format("not applied: {}: the worker's role may not do that", step.what));
        return true;
    }
    if (!statement.creates && !statement.foreign_key.empty() && is_gone(error) && keys_.run_below(statement)) {
        log_(LogLevel::info, fmt::format("applied: {}", step.what));
        return true;
    }
    if (statement.drops && is_gone(error)) {
        log_(LogLevel::warning, fmt::format("{}: what it drops does not exist on the target", step.what));
        return true;
    }
    const bool shared = !statement.own_rows.empty();
    if (!(step.contained || shared) || (!is_there(error) && !is_gone(error) && !is_attached(statement, error)))
        return false;
    if (statement.kind == DdlKind::add_column) fill_contained(statement);
    log_(LogLevel::info,
         fmt::format("{}: {}", step.what, shared ? "already in effect on the target" : "came with the copied schema"));
    return true;
}

// The rows that are there are from before the column, and it was made with the copied schema's default.
void DefinitionDdl::fill_contained(const DerivedStatement& statement) {
    auto table = table_of(*statement.table);
    if (!table) return;
    table->condition = own_rows_condition(statement.own_rows);
    update_rows(session_, *table,
                fmt::format("{} = {}", sql::quote_identifier(statement.column), statement.missing.value_or("NULL")));
}

// As it is now: commands may have changed it since the last look. Of one that is not there no row has to go; what has
// to alter it says that.
std::optional<EmptiedTable> DefinitionDdl::table_of(const QualifiedName& name) {
    session_.guard.forget();
    auto found = find_target_table(session_.connection, name.schema, name.table);
    if (!found) return std::nullopt;
    return emptied_table(*found);
}

std::optional<std::string> DefinitionDdl::owner(const DerivedStatement& statement) {
    auto maker = statement.creates ? target_owner(options_) : std::nullopt;
    if (!statement.owner_query.empty()) {
        const auto found = session_.connection.query(statement.owner_query, {}, {2});
        if (found.rows() == 0) return maker;
        return found.boolean(0, 1) ? std::nullopt : std::optional(found.text(0, 0));
    }
    if (statement.table) return owner_of(session_.connection, {*statement.table}, maker);
    if (statement.creates || !statement.type) return maker;
    const auto found = session_.connection.query(
        "SELECT pg_catalog.pg_get_userbyid(typowner) FROM pg_catalog.pg_type WHERE oid = pg_catalog.to_regtype($1) AND "
        "pg_catalog.pg_get_userbyid(typowner) <> current_user",
        {sql::Param(sql::quote_qualified(statement.type->schema, statement.type->table))}, {1});
    return found.rows() == 0 ? std::nullopt : std::optional(found.text(0, 0));
}

void DefinitionDdl::run(const DerivedStatement& statement) {
    if (statement.kind == DdlKind::recopy)
        return empty(statement.destroys.front().table, own_rows_condition(statement.own_rows));
    sql::Connection& connection = session_.connection;
    // Deferred checks would keep their tables from being altered.
    if (!session_.replica) connection.exec("SET CONSTRAINTS ALL IMMEDIATE");
    connection.exec("SET LOCAL search_path = ''");
    if (statement.given) give(*statement.given);
    run_as_owner(connection, owner(statement), statement.text);
    if (!session_.replica) connection.exec("SET CONSTRAINTS ALL DEFERRED");
    // A partition is made empty.
    if (statement.made && !statement.table) keys_.await_rows(*statement.made);
}

void DefinitionDdl::give(const DerivedStatement::Given& given) {
    const auto role = owner_of(session_.connection, {given.table}, std::nullopt);
    session_.connection.exec(
        fmt::format("ALTER {} OWNER TO {}", given.what, role ? sql::quote_identifier(*role) : "CURRENT_USER"));
}

void DefinitionDdl::empty(const QualifiedName& name, const std::string& condition) {
    auto table = table_of(name);
    if (!table) return;
    table->condition = condition;
    empty_tables(session_, {std::move(*table)});
    keys_.await_rows(name);
}

}  // namespace pgsluice
