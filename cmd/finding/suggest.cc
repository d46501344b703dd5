#include "cmd/finding/suggest.h"

#include <fmt/format.h>

#include "cmd/finding/source_tables.h"
#include "rules/personal/suggestion.h"
#include "stream/full_name.h"

namespace pgsluice {
namespace {

std::vector<std::vector<Value>> by_column(const SampledRows& sampled, std::size_t width) {
    std::vector<std::vector<Value>> columns(width);
    for (const auto& row : sampled.rows)
        for (std::size_t i = 0; i < width; ++i) columns[i].push_back(row[i]);
    return columns;
}

// Leaves out those whose rows cannot be taken: what is not seen is not to be kept.
std::vector<SourceTable> readable(SourceSampler& sampler, std::vector<SourceTable> tables,
                                  rules::Suggestion& suggestion, const Log& log) {
    std::erase_if(tables, [&](const SourceTable& table) {
        const std::string why = sampler.refusal(table);
        if (why.empty()) return false;
        suggestion.leave_out(table.relation, why);
        log(LogLevel::warning,
            fmt::format("no rules are suggested for '{}': {}. Connect to the source as a role that the function's "
                        "owner is a member of, such as that owner",
                        full_name(table.relation), why));
        return true;
    });
    return tables;
}

std::vector<rules::ExaminedTable> examine(SourceSampler& sampler, const std::vector<SourceTable>& tables,
                                          std::size_t sample_rows) {
    std::vector<rules::ExaminedTable> examined;
    for (const SourceTable& table : tables) {
        const auto relation = std::make_shared<const Relation>(table.relation);
        const SampledRows sampled = sampler.sample(table, sample_rows);
        examined.push_back(rules::Suggestion::examine(
            {relation, sampler.facts(*relation), by_column(sampled, relation->columns.size())}));
    }
    const rules::ForeignKeys keys = sampler.foreign_keys(tables);
    share_findings(examined, rules::ReferenceGraph(keys.references, keys.tables));
    return examined;
}

}  // namespace

bool suggest_rules(const sql::ConnectOptions& source, const TableChoice& choice, std::size_t sample_rows,
                   const std::function<void(const std::string&)>& print, const Log& log, const std::stop_token& stop) {
    SourceSampler sampler(source, stop);
    rules::Suggestion suggestion(sample_rows);
    const auto chosen = sampler.tables(choice, {}, log);
    const auto tables = readable(sampler, chosen, suggestion, log);
    for (const rules::ExaminedTable& table : examine(sampler, tables, sample_rows)) suggestion.add(table);
    print(suggestion.text());
    for (const std::string& column : suggestion.undecided())
        log(LogLevel::warning,
            fmt::format("no transform fits '{}', in which something personal was found: decide on it in the file",
                        column));
    log(LogLevel::info,
        fmt::format("{} columns are hidden by these rules, {} are kept; read the file before you use it",
                    suggestion.hidden(), suggestion.kept()));
    return tables.size() == chosen.size();
}

}  // namespace pgsluice
