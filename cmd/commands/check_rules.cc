#include "cmd/commands/check_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <deque>

#include "cmd/finding/source_tables.h"
#include "rules/check.h"
#include "sql/quote.h"

namespace pgsluice {
namespace {

class SourceTables {
   public:
    SourceTables(const CheckRulesOptions& options, const Ruleset& ruleset, const Log& log, std::stop_token stop)
        : options_(options), connection_(options.source, std::move(stop)) {
        ColumnTypes types(connection_);
        const auto published = chosen_tables(connection_, options_.choice, ruleset.tables(), log);
        auto found = tables_to_copy(connection_, published, false, types);
        keys = foreign_keys_of(connection_, found);
        for (SourceTable& table : found) add(std::move(table.relation));
    }
    std::vector<CheckedTable> tables;
    rules::ForeignKeys keys;

   private:
    void add(Relation relation) {
        const auto shared = std::make_shared<const Relation>(std::move(relation));
        tables.push_back({shared, samples(*shared)});
    }

    std::vector<Row> samples(const Relation& relation) {
        if (options_.samples == 0 || relation.columns.empty()) return {};
        std::vector<std::string> columns;
        for (const Column& column : relation.columns) columns.push_back(sql::quote_identifier(column.name));
        const std::string statement =
            fmt::format("SELECT {} FROM {} LIMIT {}", fmt::join(columns, ", "),
                        sql::quote_qualified(relation.schema, relation.table), options_.samples);
        const int width = static_cast<int>(columns.size());
        const sql::Result& result = results_.emplace_back(connection_.query(statement, {}, {width}));
        std::vector<Row> rows;
        for (int row = 0; row < result.rows(); ++row) {
            std::vector<Value>& values = rows_.emplace_back();
            for (int column = 0; column < width; ++column) {
                const auto text = result.get(row, column);
                values.push_back(text ? Value(*text) : Value());
            }
            rows.push_back(values);
        }
        return rows;
    }

    const CheckRulesOptions& options_;
    sql::Connection connection_;
    std::deque<sql::Result> results_;  // the samples' values point into these
    std::deque<std::vector<Value>> rows_;
};

bool names_a_source(const sql::ConnectOptions& source) {
    return !source.url.empty() || !source.host.empty() || !source.dbname.empty();
}

}  // namespace

void check_rules_against_source(const CheckRulesOptions& options, const std::function<void(const std::string&)>& print,
                                const Log& log, std::stop_token stop) {
    const auto ruleset = Ruleset::load(options.files);
    if (!names_a_source(options.source)) {
        print(options.json
                  ? rules_check_json({})
                  : fmt::format("the files are well-formed; they name: {}\n", fmt::join(ruleset->tables(), ", ")));
        log(LogLevel::info, "the files were not checked against tables, because no source is given (--source-url)");
        return;
    }
    const SourceTables source(options, *ruleset, log, std::move(stop));
    ruleset->refer(source.keys);
    const RulesCheck check = check_rules(*ruleset, source.tables);
    print(options.json ? rules_check_json(check) : check.text);
    for (const std::string& warning : check.warnings) log(LogLevel::warning, warning);
    for (const std::string& problem : check.problems) log(LogLevel::error, problem);
    if (!check.problems.empty())
        throw usage_error(fmt::format("unable to use the rules: {} of them would stop a worker", check.problems.size()),
                          "Each is an error above; correct the files, or check them against another source.");
}

}  // namespace pgsluice
