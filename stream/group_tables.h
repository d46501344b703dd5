// The tables that a group replicates, as the replicator found them: the KV key `tables` (FORMAT.md, "Keys"). It tells a
// worker of tables that it has not met in the stream.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/broker.h"
#include "stream/change.h"

namespace pgsluice {

std::string encode_tables(const std::vector<Relation>& tables);
// A stop Error when it is not that.
std::vector<Relation> decode_tables(std::string_view json);

// Takes the key away when the tables do not fit into one message of the broker.
void remember_tables(Broker& broker, const Names& names, std::string_view json);
// Nothing when the key is not there.
std::optional<std::vector<Relation>> find_tables(Broker& broker, const Names& names);

}  // namespace pgsluice
