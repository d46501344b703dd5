#include "sinks/postgres/history/version_statements.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>

#include "sinks/lines/rfc3339.h"
#include "sinks/postgres/own_rows.h"
#include "sql/quote.h"

namespace pgsluice {

namespace {

using Texts = std::vector<std::string>;

constexpr const char* instant = "interval '1 microsecond'";

// One target table's names and conditions. `t` is the table in all statements, and `x` what comes.
class VersionSql {
   public:
    explicit VersionSql(const TargetMapping& mapping)
        : mapping_(mapping),
          once_(!mapping.relation.keeping.history.every_change),
          from_(sql::quote_identifier(mapping.relation.keeping.history.valid_from)),
          to_(sql::quote_identifier(mapping.relation.keeping.history.valid_to)),
          deleted_(sql::quote_identifier(mapping.relation.keeping.history.deleted)),
          open_(sql::quote_literal(mapping.relation.keeping.history.open) + "::timestamptz") {
        for (std::size_t i = 0; i < mapping.relation.columns.size(); ++i)
            if (mapping.writes(i)) written_.push_back(static_cast<int>(i));
    }

    [[nodiscard]] const std::vector<int>& written() const { return written_; }

    // x(c<column>..., k<column>..., at, open, n): values, keys of the version before, its number. `open` is no constant
    // for the planner: a condition with one would let it read the whole of an index of what is valid now, which costs
    // nothing while the table is empty, and a generic plan stays.
    [[nodiscard]] std::string incoming(const Statement& statement, Rows rows) const {
        Texts columns;
        std::size_t number = 0;
        const auto add = [&](int column, char prefix) {
            const std::string value = rows == Rows::one ? fmt::format("${}", number + 1) : fmt::format("v{}", number);
            const bool time = column == time_column(mapping_);
            columns.push_back(time
                                  ? fmt::format("{}::timestamptz AS at", value)
                                  : fmt::format("{}::{} AS {}{}", value, mapping_.column(column).type, prefix, column));
            ++number;
        };
        for (const int column : statement.values) add(column, 'c');
        for (const int column : statement.keys) add(column, 'k');
        columns.push_back(open_ + " AS open");
        const std::string list = fmt::format("{}", fmt::join(columns, ", "));
        if (rows == Rows::one) return fmt::format("x AS MATERIALIZED (SELECT {}, 1 AS n)", list);
        Texts arrays;
        Texts names;
        for (std::size_t i = 0; i < number; ++i) {
            arrays.push_back(fmt::format("${}::text[]", i + 1));
            names.push_back(fmt::format("v{}", i));
        }
        return fmt::format("x AS MATERIALIZED (SELECT {}, n FROM unnest({}) WITH ORDINALITY AS u({}, n))", list,
                           fmt::join(arrays, ", "), fmt::join(names, ", "));
    }

    // What was made by this same transaction is no version of its own yet.
    [[nodiscard]] std::string replaced(const std::vector<int>& sent) const {
        Texts sets{fmt::format("{} = false", deleted_)};
        for (const int column : sent) {
            if (mapping_.is_key(column) || mapping_.column(column).identity_always) continue;
            sets.push_back(fmt::format("{} = x.c{}", mapping_.column(column).quoted, column));
        }
        return fmt::format("replaced AS (UPDATE {} AS t SET {} FROM x WHERE {} AND t.{} = x.open AND {} RETURNING x.n)",
                           mapping_.table.only, fmt::join(sets, ", "), same_key("t", "x.c"), to_, made_now());
    }
    [[nodiscard]] std::string closed(const std::vector<int>& kept) const {
        return fmt::format(
            "closed AS (UPDATE {} AS t SET {} = {} FROM x WHERE {} AND t.{} = x.open AND NOT ({}) RETURNING "
            "x.n, t.{} AS at{})",
            mapping_.table.only, to_, end(), same_key("t", "x.c"), to_, made_now(), to_, old_values(kept));
    }
    // Deleted and inserted again by one transaction is an update.
    [[nodiscard]] std::string undeleted() const { return undeleted("x", once_ ? "true" : "false"); }
    // By an update, too: of a row that a filter let through again. Any other has found a version, and looks for no
    // more.
    [[nodiscard]] std::string undeleted_by_update() const {
        return once_ ? undeleted("paired AS x", "NOT x.follows AND NOT x.done") + ", " : "";
    }
    [[nodiscard]] std::string version_before(const std::vector<int>& kept) const {
        return fmt::format("before AS (SELECT x.n{} FROM {} AS t, x WHERE {} AND t.{} = x.open)", old_values(kept),
                           mapping_.table.only, same_key("t", "x.k"), to_);
    }
    // x, and beside each row what `closed` or `replaced` has for its n: f (the end of the version before, null where it
    // was replaced) and o<column>. By a sort, as a session's plans have no joins but nested loops, and nothing finds a
    // row of a CTE by index: joined, twice the rows took four times as long.
    [[nodiscard]] std::string paired(const Statement& statement, const std::vector<int>& kept) const {
        std::string own, none, olds, no_olds, beside;
        for (const int column : statement.values) {
            if (column == time_column(mapping_)) continue;
            own += fmt::format(", c{}", column);
            none += ", NULL";
        }
        for (const int column : kept) {
            olds += fmt::format(", o{}", column);
            no_olds += fmt::format(", NULL::{}", mapping_.column(column).type);
            beside += fmt::format(", lag(o{0}) OVER w AS o{0}", column);
        }
        return fmt::format(
            "paired AS (SELECT *, coalesce(before = 1, false) AS follows, coalesce(before = 0, false) AS done FROM "
            "(SELECT n, side, at{0}, CASE WHEN lag(n) OVER w = n THEN lag(side) OVER w END AS before, lag(at) OVER w "
            "AS f{1} FROM (SELECT n, 2 AS side, at{0}{2} FROM x UNION ALL SELECT n, 1, at{3}{4} FROM closed UNION ALL "
            "SELECT n, 0, NULL{3}{5} FROM replaced) AS u({6}) WINDOW w AS (ORDER BY n, side)) AS p WHERE side = 2)",
            own, beside, no_olds, none, olds, no_olds, "n, side, at" + own + olds);
    }
    // `kept` come from the version before, which a row must have then: x's, or of a row that moves the one in `before`.
    enum class Before { same_key, moves };
    [[nodiscard]] std::string made(const std::vector<int>& kept, Before before) const {
        const bool moves = before == Before::moves && !kept.empty();
        Texts names;
        Texts values;
        for (const int column : written_) {
            const bool old = std::find(kept.begin(), kept.end(), column) != kept.end();
            names.push_back(mapping_.column(column).quoted);
            values.push_back(fmt::format("{}{}", !old ? "x.c" : moves ? "b.o" : "x.o", column));
        }
        return fmt::format(
            "made AS (INSERT INTO {0} ({1}, {2}, {3}, {4}) OVERRIDING SYSTEM VALUE SELECT {5}, CASE WHEN x.follows "
            "THEN x.f ELSE greatest(x.at, (SELECT max(p.{3}) FROM {6} AS p WHERE {7})) END, {8}, false FROM paired AS "
            "x{9} WHERE NOT x.done{10} RETURNING 1)",
            mapping_.table.name, fmt::join(names, ", "), from_, to_, deleted_, fmt::join(values, ", "),
            mapping_.table.only, same_key("p", "x.c"), open_, moves ? " JOIN before AS b ON b.n = x.n" : "",
            kept.empty() || moves ? "" : " AND x.follows");
    }

    [[nodiscard]] std::string remove(const Statement& statement, Rows rows) const {
        return fmt::format(
            "WITH {0}, gone AS (DELETE FROM {1} AS t USING x WHERE {2} AND t.{3} = x.open AND {4} RETURNING x.*), "
            "last AS (UPDATE {1} AS t SET {5} = true FROM gone AS x WHERE {2} AND t.{3} = x.at) "
            "UPDATE {1} AS t SET {3} = {6}, {5} = true FROM x WHERE {2} AND t.{3} = x.open AND NOT ({4})",
            incoming(statement, rows), mapping_.table.only, same_key("t", "x.c"), to_, made_now(), deleted_, end());
    }

    [[nodiscard]] Texts truncate(const std::string& time) const {
        const std::string at = sql::quote_literal(time) + "::timestamptz";
        const std::string own = own_rows_of("t.");
        Texts all;
        if (once_) {
            all.push_back(fmt::format("UPDATE {} AS t SET {} = true WHERE {} AND t.{} = {}", mapping_.table.only,
                                      deleted_, own, to_, at));
            all.push_back(fmt::format("DELETE FROM {} AS t WHERE {} AND t.{} = {} AND t.{} = {}", mapping_.table.only,
                                      own, to_, open_, from_, at));
        }
        all.push_back(
            fmt::format("UPDATE {0} AS t SET {1} = greatest({2}, t.{3} + {4}), {5} = true WHERE {6} AND t.{1} = {7}",
                        mapping_.table.only, to_, at, from_, instant, deleted_, own, open_));
        return all;
    }

    // What is valid and in none of the copies.
    [[nodiscard]] std::string end_absent(const std::vector<CopiedRows>& copies, const std::string& time) const {
        std::map<std::string, Texts> keys;  // by what compares them
        for (const CopiedRows& copy : copies) {
            const VersionSql its(*copy.mapping);
            Texts names;
            for (const int column : its.mapping_.key) names.push_back(its.mapping_.column(column).quoted);
            keys[its.same_as_copied()].push_back(
                fmt::format("SELECT {} FROM {}", fmt::join(names, ", "), copy.staging));
        }
        std::string absent;
        for (const auto& [same, copied] : keys)
            absent +=
                fmt::format(" AND NOT EXISTS (SELECT FROM ({}) AS x WHERE {})", fmt::join(copied, " UNION ALL "), same);
        return fmt::format("UPDATE {} AS t SET {} = {}, {} = true WHERE {}{}", mapping_.table.only, to_,
                           end_of_copied(time), deleted_, valid(), absent);
    }
    [[nodiscard]] Texts merge(const std::string& staging, const std::string& time) const {
        const std::string at = sql::quote_literal(time) + "::timestamptz";
        Texts names, values, differs;
        for (const int column : written_) {
            const std::string& name = mapping_.column(column).quoted;
            names.push_back(name);
            const std::string value = fmt::format("x.{}::{}", name, mapping_.column(column).type);
            values.push_back(value);
            if (!mapping_.is_key(column))
                differs.push_back(fmt::format("t.{}::text COLLATE \"C\" IS DISTINCT FROM {}::text", name, value));
        }
        const std::string same = same_as_copied();
        const std::string first = mapping_.relation.keeping.history.first;
        Texts all;
        if (!differs.empty())
            all.push_back(fmt::format(
                "WITH closed AS (UPDATE {0} AS t SET {1} = {2} FROM {3} AS x WHERE {4} AND {5} AND ({6}) "
                "RETURNING t.*) INSERT INTO {7} ({8}, {9}, {1}, {10}) OVERRIDING SYSTEM VALUE SELECT "
                "{11}, t.{1}, {12}, false FROM {3} AS x JOIN closed AS t ON {4}",
                mapping_.table.only, to_, end_of_copied(time), staging, same, valid(), fmt::join(differs, " OR "),
                mapping_.table.name, fmt::join(names, ", "), from_, deleted_, fmt::join(values, ", "), open_));
        all.push_back(fmt::format(
            "INSERT INTO {0} ({1}, {2}, {3}, {4}) OVERRIDING SYSTEM VALUE SELECT {5}, coalesce((SELECT greatest({6}, "
            "max(t.{3})) FROM {7} AS t WHERE {8} HAVING count(*) > 0), {9}), {10}, false FROM {11} AS x WHERE NOT "
            "EXISTS (SELECT FROM {7} AS t WHERE {8} AND t.{3} = {10})",
            mapping_.table.name, fmt::join(names, ", "), from_, to_, deleted_, fmt::join(values, ", "), at,
            mapping_.table.only, same, first.empty() ? at : sql::quote_literal(first) + "::timestamptz", open_,
            staging));
        return all;
    }
    // Of what this worker writes.
    [[nodiscard]] std::string valid() const { return fmt::format("{} AND t.{} = {}", own_rows_of("t."), to_, open_); }

   private:
    [[nodiscard]] std::string undeleted(const char* rows, const char* condition) const {
        return fmt::format(
            "undeleted AS (UPDATE {} AS t SET {} = false FROM {} WHERE {} AND t.{} = x.at AND t.{} AND {})",
            mapping_.table.only, deleted_, rows, same_key("t", "x.c"), to_, deleted_, condition);
    }
    [[nodiscard]] std::string made_now() const { return once_ ? fmt::format("t.{} = x.at", from_) : "false"; }
    [[nodiscard]] std::string end() const { return fmt::format("greatest(x.at, t.{} + {})", from_, instant); }
    [[nodiscard]] std::string end_of_copied(const std::string& time) const {
        return fmt::format("greatest({}::timestamptz, t.{} + {})", sql::quote_literal(time), from_, instant);
    }
    // t.key = x.c<column> AND ...
    [[nodiscard]] std::string same_key(const char* table, const char* prefix) const {
        Texts tests;
        for (std::size_t i = 0; i < mapping_.key.size(); ++i)
            tests.push_back(fmt::format("{}.{} {} {}{}", table, mapping_.column(mapping_.key[i]).quoted,
                                        mapping_.key_equals[i], prefix, mapping_.key[i]));
        return fmt::format("{}", fmt::join(tests, " AND "));
    }
    [[nodiscard]] std::string same_as_copied() const {
        Texts tests;
        for (std::size_t i = 0; i < mapping_.key.size(); ++i) {
            const TargetColumn& column = mapping_.column(mapping_.key[i]);
            tests.push_back(fmt::format("t.{0} {1} x.{0}::{2}", column.quoted, mapping_.key_equals[i], column.type));
        }
        return fmt::format("{}", fmt::join(tests, " AND "));
    }
    [[nodiscard]] std::string own_rows_of(const char* prefix) const {
        const std::string own = own_rows_condition(mapping_.relation, prefix);
        return own.empty() ? "true" : own;
    }
    [[nodiscard]] std::string old_values(const std::vector<int>& kept) const {
        std::string list;
        for (const int column : kept) list += fmt::format(", t.{} AS o{}", mapping_.column(column).quoted, column);
        return list;
    }

    const TargetMapping& mapping_;
    const bool once_;  // a transaction makes one version
    const std::string from_, to_, deleted_, open_;
    std::vector<int> written_;
};

struct Sent {
    std::vector<int> sent;
    std::vector<int> kept;
};

Sent split(const VersionSql& sql, const ColumnSet& sent) {
    Sent columns;
    for (const int column : sql.written())
        (sent[static_cast<std::size_t>(column)] ? columns.sent : columns.kept).push_back(column);
    return columns;
}

// What comes at the end of a statement whose rows are `made` or `replaced`.
std::string counted(bool checked) {
    constexpr const char* count = "(SELECT count(*) FROM made) + (SELECT count(*) FROM replaced)";
    return checked ? fmt::format("SELECT 1 / ({} = (SELECT count(*) FROM x))::int", count)
                   : fmt::format("SELECT {}", count);
}

}  // namespace

std::string timestamptz_text(std::int64_t postgres_time_us) {
    std::string text;
    append_rfc3339(text, postgres_time_us + postgres_epoch_us);
    return text;
}

bool is_partial(const TargetMapping& mapping, const ColumnSet& sent) {
    for (std::size_t i = 0; i < sent.size(); ++i)
        if (mapping.writes(i) && !sent[i]) return true;
    return false;
}

Statement insert_versions(const TargetMapping& mapping, Rows rows) {
    const VersionSql sql(mapping);
    Statement made{"", sql.written(), {}};
    made.values.push_back(time_column(mapping));
    made.counts = true;
    made.text = fmt::format("WITH {}, {}, {}, {}, {}, {} {}", sql.incoming(made, rows), sql.replaced(sql.written()),
                            sql.closed({}), sql.undeleted(), sql.paired(made, {}),
                            sql.made({}, VersionSql::Before::same_key), counted(false));
    return made;
}

Statement update_versions(const TargetMapping& mapping, const ColumnSet& sent, Rows rows, bool checked) {
    const VersionSql sql(mapping);
    const Sent columns = split(sql, sent);
    Statement made{"", columns.sent, {}};
    made.values.push_back(time_column(mapping));
    made.counts = true;
    made.text = fmt::format("WITH {}, {}, {}, {}, {}{} {}", sql.incoming(made, rows), sql.replaced(columns.sent),
                            sql.closed(columns.kept), sql.paired(made, columns.kept), sql.undeleted_by_update(),
                            sql.made(columns.kept, VersionSql::Before::same_key), counted(checked));
    return made;
}

Statement move_version(const TargetMapping& mapping, const ColumnSet& sent, bool checked) {
    const VersionSql sql(mapping);
    const Sent columns = split(sql, sent);
    Statement made{"", columns.sent, mapping.key};
    made.values.push_back(time_column(mapping));
    made.counts = true;
    made.text =
        fmt::format("WITH {}, {}, {}, {}, {}, {}, {} {}", sql.incoming(made, Rows::one),
                    sql.version_before(columns.kept), sql.replaced(columns.sent), sql.closed({}), sql.undeleted(),
                    sql.paired(made, {}), sql.made(columns.kept, VersionSql::Before::moves), counted(checked));
    return made;
}

Statement remove_versions(const TargetMapping& mapping, Rows rows) {
    const VersionSql sql(mapping);
    Statement made{"", mapping.key, {}};
    made.values.push_back(time_column(mapping));
    made.text = sql.remove(made, rows);
    return made;
}

std::string create_end_index(const Relation& relation, const std::string& name) {
    const HistoryColumns& history = relation.keeping.history;
    Texts key;
    for (const Column& column : relation.columns)
        if (column.key) key.push_back(sql::quote_identifier(column.name));
    if (key.empty()) return "";
    key.push_back(sql::quote_identifier(history.valid_to));
    return fmt::format("CREATE UNIQUE INDEX {} ON {} USING btree ({})", sql::quote_identifier(name),
                       sql::quote_qualified(relation.schema, relation.table), fmt::join(key, ", "));
}

std::vector<std::string> truncate_versions(const TargetMapping& mapping, const std::string& time) {
    return VersionSql(mapping).truncate(time);
}

std::string any_valid(const TargetMapping& mapping) {
    return fmt::format("EXISTS (SELECT FROM {} AS t WHERE {})", mapping.table.only, VersionSql(mapping).valid());
}

std::vector<std::string> merge_copied_versions(const std::vector<CopiedRows>& copies, const std::string& time,
                                               bool whole) {
    Texts all;
    if (whole) all.push_back(VersionSql(*copies.front().mapping).end_absent(copies, time));
    for (const CopiedRows& copy : copies)
        for (std::string& statement : VersionSql(*copy.mapping).merge(copy.staging, time))
            all.push_back(std::move(statement));
    return all;
}

}  // namespace pgsluice
