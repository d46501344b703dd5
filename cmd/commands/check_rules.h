// `pgsluice check rules`: fits rules and routing files to the tables of a live source, and shows what becomes of rows.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "replicator/options.h"
#include "rules/ruleset.h"
#include "stream/log.h"

namespace pgsluice {

struct CheckRulesOptions {
    RulesOptions files;
    sql::ConnectOptions source;       // nothing given: the files are only read
    std::string schema = "public";    // of unqualified table names
    std::vector<std::string> tables;  // empty: all in the schema, and those the files name with theirs
    int samples = 0;                  // rows of each table to show before and after
};

// The report for standard output. Warnings go to the log. A usage Error when a file, or its fit to a table, is wrong;
// `print` has been given the report by then.
void check_rules_against_source(const CheckRulesOptions& options, const std::function<void(const std::string&)>& print,
                                const Log& log, std::stop_token stop);

}  // namespace pgsluice
