// The rules that would hide a finding, the best first. Which of them a column takes, the rules' compiler says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/personal/inspection.h"
#include "rules/values/value_type.h"

namespace pgsluice::rules {

// Each is a rule in YAML's flow style: "{type: transform, column: email, parameters: {type: email}}".
std::vector<std::string> proposals(const Finding& finding, const Column& column, bool nullable);

// As YAML takes it: plain where that is safe, else in quotes.
std::string yaml_text(std::string_view text);
// A table's name as a rules file has it.
std::string yaml_table(std::string_view schema, std::string_view table);

}  // namespace pgsluice::rules
