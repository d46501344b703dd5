#include "cmd/finding/suggest.h"

#include <fmt/format.h>

#include "cmd/finding/source_tables.h"
#include "rules/personal/suggestion.h"

namespace pgsluice {
namespace {

std::vector<std::vector<Value>> by_column(const SampledRows& sampled, std::size_t width) {
    std::vector<std::vector<Value>> columns(width);
    for (const auto& row : sampled.rows)
        for (std::size_t i = 0; i < width; ++i) columns[i].push_back(row[i]);
    return columns;
}

}  // namespace

void suggest_rules(const sql::ConnectOptions& source, const TableChoice& choice, std::size_t sample_rows,
                   const std::function<void(const std::string&)>& print, const Log& log, const std::stop_token& stop) {
    SourceSampler sampler(source, stop);
    rules::Suggestion suggestion(sample_rows);
    for (const SourceTable& table : sampler.tables(choice, {}, log)) {
        const auto relation = std::make_shared<const Relation>(table.relation);
        const SampledRows sampled = sampler.sample(table, sample_rows);
        suggestion.add({relation, sampler.facts(*relation), by_column(sampled, relation->columns.size())});
    }
    print(suggestion.text());
    for (const std::string& column : suggestion.undecided())
        log(LogLevel::warning,
            fmt::format("no transform fits '{}', in which something personal was found: decide on it in the file",
                        column));
    log(LogLevel::info,
        fmt::format("{} columns are hidden by these rules, {} are kept; read the file before you use it",
                    suggestion.hidden(), suggestion.kept()));
}

}  // namespace pgsluice
