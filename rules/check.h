// What `pgsluice check rules` prints: how the files fit the tables, and what they make of some rows.
//
// Text in, text out: the catalog and the rows are read by the caller. The samples show values; nothing else does.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rules/ruleset.h"

namespace pgsluice {

struct CheckedTable {
    RelationPtr relation;
    std::vector<Row> samples;  // rows of the table
};

struct RulesCheck {
    // A paragraph per table: its steps, warnings, and the samples before and after; then one of foreign keys.
    std::string text;
    std::vector<rules::ReferringColumn> foreign_keys;
    std::vector<std::string> problems;  // what stops a worker, one message each with its hint
    std::vector<std::string> warnings;  // what does not: tables named in the files that are not there, lost deletes
};

// `ruleset` knows the source's foreign keys.
RulesCheck check_rules(const Ruleset& ruleset, std::span<const CheckedTable> tables);

// {"foreign_keys":[...],"problems":[...],"warnings":[...]}, without samples.
std::string rules_check_json(const RulesCheck& check);

}  // namespace pgsluice
