// The tables that a group replicates, as the replicator found them: the KV key `tables` (FORMAT.md, "Keys"). It tells a
// worker which tables there are besides those it has read in the stream.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/broker.h"
#include "stream/change.h"

namespace pgsluice {

struct GroupTables {
    std::vector<Relation> now;
    std::vector<Relation> former;  // replicated earlier, so a target may still hold their rows; without columns

    bool operator==(const GroupTables&) const = default;
};

std::string encode(const GroupTables& tables);
// A stop Error when it is malformed.
GroupTables decode_tables(std::string_view json);

// False, and the key is removed, when the tables do not fit into one message.
bool remember_tables(Broker& broker, const Names& names, std::string_view json);
// Nothing when the key does not exist.
std::optional<GroupTables> find_tables(Broker& broker, const Names& names);

}  // namespace pgsluice
