// The rules and routing files as they were read at one time.
#pragma once

#include <string>
#include <vector>

#include "rules/rule.h"
#include "rules/ruleset.h"

namespace pgsluice {

struct RulesFiles {
    rules::RulesFile rules;
    std::vector<rules::Route> routes;
    std::string text;        // of both, for comparing
    std::string rules_text;  // of the rules file alone, without its path
};

// usage Error naming file, line, table and rule.
RulesFiles read_rules_files(const RulesOptions& options);

// Whether both surely say the same. A file that names a secret_file may not: what that holds counts, too.
bool say_the_same(const RulesFiles& a, const RulesFiles& b);

// By which the text of two rules files can be compared where only one is at hand.
std::string rules_digest(const RulesFiles& files);

}  // namespace pgsluice
