// `pgsluice check rules`: checks rules and routing files against the tables of a live source, and shows rows before and
// after them.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "replicator/options.h"
#include "rules/ruleset.h"
#include "stream/base/log.h"

namespace pgsluice {

struct CheckRulesOptions {
    RulesOptions files;
    sql::ConnectOptions source;  // not given: the files are only read
    TableChoice choice{};        // by default also those that the files name with a schema
    int samples = 0;             // rows of each table to show before and after
    bool json = false;
};

// Prints the report; warnings go to the log. A usage Error when a file is wrong or does not fit a table; the report has
// been printed by then.
void check_rules_against_source(const CheckRulesOptions& options, const std::function<void(const std::string&)>& print,
                                const Log& log, std::stop_token stop);

}  // namespace pgsluice
