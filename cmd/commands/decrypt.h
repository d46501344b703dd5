// `pgsluice decrypt`: values that a reversible transform has made, turned back by those who have the secret.
#pragma once

#include <stop_token>

#include "cmd/cli/settings.h"
#include "rules/rule.h"
#include "stream/base/log.h"

namespace pgsluice {

// The lines of standard input, each a value of settings.decrypted_column as the rules have left it, to standard output.
// An empty line is NULL, and stays. A column for which the file has no rules may inherit some along the foreign keys of
// a source, if one is given. A stop Error names the first line that the rules cannot have made.
void run_decrypt(Settings settings, const Log& log, std::stop_token stop);

// One value, through the column's transforms from the last to the first. usage Error where one has no way back, or
// there is none. Throws rules::Unreadable where they cannot have made it.
std::string decrypted(const rules::RulesFile& file, const std::string& column, const std::string& value);

}  // namespace pgsluice
