// What hangs on a table and is made by a command of its own: indexes that are no constraint's, extended statistics.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stream/definition/object_name.h"

namespace pgsluice {

struct IndexDefinition {
    std::string schema{};
    std::string name{};
    ObjectName table{};
    std::string definition{};  // pg_get_indexdef()
    bool valid = false;
    std::optional<ObjectName> parent{};  // the partitioned index that it is attached to
    std::string comment{};
    std::vector<std::string> options{};   // "fillfactor=70"
    std::vector<ObjectName> ancestors{};  // all tables above the table, the nearest first

    bool operator==(const IndexDefinition&) const = default;
};

struct StatisticsDefinition {
    std::string schema{};
    std::string name{};
    ObjectName table{};
    std::string definition{};  // pg_get_statisticsobjdef()
    std::string comment{};
    std::vector<ObjectName> ancestors{};  // all tables above the table, the nearest first

    bool operator==(const StatisticsDefinition&) const = default;
};

}  // namespace pgsluice
