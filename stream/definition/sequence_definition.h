// A sequence that is no identity column's. Its position is no part of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "stream/definition/object_name.h"

namespace pgsluice {

struct SequenceOwner {
    Oid oid = 0;  // the table's
    std::string schema{};
    std::string table{};
    std::string column{};
    std::int16_t number = 0;  // the column's

    bool operator==(const SequenceOwner&) const = default;
};

struct SequenceDefinition {
    std::string schema{};
    std::string name{};
    std::string owner{};
    std::string type{};   // "bigint"
    std::string start{};  // these five are whole numbers
    std::string increment{};
    std::string min{};
    std::string max{};
    std::string cache{};
    bool cycle = false;
    std::optional<SequenceOwner> owned_by{};
    std::string comment{};

    bool operator==(const SequenceDefinition&) const = default;
};

}  // namespace pgsluice
