// What tables lie in or depend on as a whole, and objects that are known by the command that makes them.
#pragma once

#include <string>

namespace pgsluice {

struct SchemaDefinition {
    std::string name{};
    std::string owner{};
    std::string comment{};

    bool operator==(const SchemaDefinition&) const = default;
};

struct ExtensionDefinition {
    std::string name{};
    std::string schema{};
    std::string version{};

    bool operator==(const ExtensionDefinition&) const = default;
};

}  // namespace pgsluice
