// Objects whose definition is text of the source's: views, functions, triggers, policies; and rights on tables.
// Captured where the replicator is told to (--ddl-objects).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stream/definition/object_name.h"
#include "stream/definition/type_use.h"

namespace pgsluice {

struct ViewDefinition {
    std::string schema{};
    std::string name{};
    std::string owner{};
    std::string definition{};            // pg_get_viewdef(), without its semicolon
    std::vector<std::string> columns{};  // names, in order
    std::vector<std::string> options{};  // "security_barrier=true"
    // Tables that it reads, also through other views, and which of their columns; none: not known.
    std::vector<TypeUse> reads{};
    std::string comment{};

    bool operator==(const ViewDefinition&) const = default;
};

struct FunctionDefinition {
    std::string schema{};
    std::string name{};
    std::string arguments{};  // their types, as ALTER and DROP name it
    std::string owner{};
    char kind = 'f';  // pg_proc.prokind: f function, p procedure, w window function
    std::string language{};
    bool definer = false;      // SECURITY DEFINER
    std::string definition{};  // pg_get_functiondef(): CREATE OR REPLACE ...
    std::string comment{};

    bool operator==(const FunctionDefinition&) const = default;
};

struct TriggerDefinition {
    std::string name{};
    ObjectName table{};
    bool constraint = false;
    std::string event{};  // of pg_get_triggerdef(), between the trigger's name and the table's: BEFORE UPDATE OF v
    std::string rest{};   // and after the table's: FOR EACH ROW EXECUTE FUNCTION ...
    char enabled = 'O';   // pg_trigger.tgenabled: O, D, R or A
    std::string comment{};
    std::vector<ObjectName> ancestors{};  // all tables above the table, the nearest first

    bool operator==(const TriggerDefinition&) const = default;
};

struct PolicyDefinition {
    std::string name{};
    ObjectName table{};
    bool restrictive = false;
    std::string command{};             // ALL, SELECT, INSERT, UPDATE, DELETE
    std::vector<std::string> roles{};  // quoted as needed; PUBLIC
    std::string expression{};          // USING; empty: none
    std::string check{};               // WITH CHECK; empty: none
    std::string comment{};
    std::vector<ObjectName> ancestors{};  // all tables above the table, the nearest first

    bool operator==(const PolicyDefinition&) const = default;
};

struct Right {
    std::string role{};       // empty: PUBLIC
    std::string privilege{};  // SELECT, INSERT, ...
    std::string column{};     // empty: on the table
    bool grantable = false;

    bool operator==(const Right&) const = default;
};

// What others than its owner may do with a table.
struct GrantsDefinition {
    ObjectName table{};
    std::vector<Right> rights{};
    std::vector<ObjectName> ancestors{};  // all tables above the table, the nearest first

    bool operator==(const GrantsDefinition&) const = default;
};

}  // namespace pgsluice
