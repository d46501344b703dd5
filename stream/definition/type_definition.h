// An enum, composite, domain or range type.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stream/definition/object_name.h"

namespace pgsluice {

struct EnumLabel {
    Oid oid = 0;
    std::string label{};

    bool operator==(const EnumLabel&) const = default;
};

struct AttributeDefinition {
    std::int16_t number = 0;
    std::string name{};
    std::string type{};
    std::string collation{};  // where it is not the type's own

    bool operator==(const AttributeDefinition&) const = default;
};

struct DomainConstraint {
    Oid oid = 0;
    std::string name{};
    std::string definition{};  // pg_get_constraintdef()
    bool validated = false;

    bool operator==(const DomainConstraint&) const = default;
};

struct TypeDefinition {
    std::string schema{};
    std::string name{};
    std::string owner{};
    char kind = '\0';                               // e, c, d, r
    std::vector<EnumLabel> labels{};                // enum, in order
    std::vector<AttributeDefinition> attributes{};  // composite
    std::string base{};                             // domain, from here on
    std::string collation{};                        // of a domain or range, where it is not the type's own
    bool not_null = false;
    std::string expression{};  // of the default
    std::vector<DomainConstraint> constraints{};
    std::string subtype{};  // range, from here on
    std::string opclass{};  // where it is not the default
    std::string canonical{};
    std::string subtype_diff{};
    std::string multirange{};  // the multirange type's name
    std::string comment{};

    bool operator==(const TypeDefinition&) const = default;
};

}  // namespace pgsluice
