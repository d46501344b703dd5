// One derived command of a DDL message, and what an operator decides about it.
#pragma once

#include <cstddef>
#include <string>

#include "stream/position.h"

namespace pgsluice {

struct DdlPlace {
    Position position{};     // of the message
    std::size_t number = 0;  // of the command among the message's, from 1

    auto operator<=>(const DdlPlace&) const = default;
};

// A command that stopped a worker.
struct PendingDdl {
    DdlPlace place{};
    std::string kind{};    // "drop table"
    std::string object{};  // "table 'public.t'"
    std::string text{};    // without a row's values
    std::string reason{};  // why it was not applied

    bool operator==(const PendingDdl&) const = default;
};

enum class DdlDecision { apply, skip };

}  // namespace pgsluice
