// How a definition refers to another object.
#pragma once

#include <string>

#include "stream/change.h"

namespace pgsluice {

struct ObjectName {
    Oid oid = 0;
    std::string schema{};
    std::string name{};

    bool operator==(const ObjectName&) const = default;
};

}  // namespace pgsluice
