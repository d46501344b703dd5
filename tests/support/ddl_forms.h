// Forms of DDL that tests run on a source: the target's catalogs and rows are to be equal afterwards.
#pragma once

#include <string>
#include <vector>

namespace pgsluice::test {

struct DdlFormTraits {
    bool convert = false;           // a target may convert the rows itself
    bool alone = false;             // it cannot run in a transaction with others
    const char* differs = nullptr;  // what the target has otherwise afterwards, by design
    int since = 0;                  // the source's server_version_num
    bool writes = false;            // rows that no copy brings: only a whole group does
};

struct DdlForm {
    const char* before;  // makes what the form is about, with rows; names without schema, or in schema f
    const char* form;
    DdlFormTraits traits{};
};

struct DdlForms {
    const char* title;
    std::vector<DdlForm> forms;
};

const std::vector<DdlForms>& ddl_forms();

// With the form's schemas f, f2 and f3 under the names given by `name`, which follows f: f12, f12_2, f12_3.
std::string in_schema(const std::string& statements, const std::string& name);
// One by one, as psql would send them.
std::vector<std::string> statements_of(const std::string& text);

}  // namespace pgsluice::test
