#include "cmd/finding/coverage.h"

#include <algorithm>

#include "cmd/finding/source_tables.h"
#include "rules/keys/inherited_rules.h"
#include "rules/rules_files.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

std::string coverage_json(std::size_t tables, std::span<const rules::UnnamedColumn> unnamed) {
    JsonText json;
    json.raw('{');
    json.number("tables", tables);
    json.key("columns");
    json.raw('[');
    for (const rules::UnnamedColumn& column : unnamed) {
        json.raw(&column == unnamed.data() ? "{" : ",{");
        json.text("table", column.table);
        json.text("column", column.name);
        json.text("type", column.type);
        json.boolean("strict", column.strict);
        json.boolean("conditional", column.conditional);
        json.key("looks_like");
        if (column.looks_like == rules::PersonalKind::none) {
            json.raw("null");
        } else {
            json.text(what(column.looks_like));
        }
        json.raw('}');
    }
    json.raw("]}\n");
    return std::string(json.view());
}

bool report_coverage(const RulesOptions& files, const sql::ConnectOptions& source, const TableChoice& choice,
                     const std::function<void(const std::string&)>& print, const Log& log,
                     const std::stop_token& stop) {
    const RulesFiles read = read_rules_files(files);
    const Ruleset ruleset(read.rules, read.routes);
    SourceSampler sampler(source, stop);
    std::vector<rules::UnnamedColumn> unnamed;
    const auto tables = sampler.tables(choice, ruleset.tables(), log);
    const rules::InheritedRules rules(read.rules, sampler.foreign_keys(tables));
    for (const SourceTable& table : tables)
        std::ranges::move(rules::unnamed_columns(rules.file(), read.routes, table.relation),
                          std::back_inserter(unnamed));
    print(coverage_json(tables.size(), unnamed));
    return std::ranges::none_of(unnamed, &rules::UnnamedColumn::strict);
}

}  // namespace pgsluice
