// The foreign keys of the tables that a group replicates, as the source's catalog had them: the KV key `references`
// (FORMAT.md, "Keys"). By these a worker knows which columns hold values of which keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/broker.h"
#include "stream/column_reference.h"
#include "stream/names.h"

namespace pgsluice {

std::string encode(const std::vector<ColumnReference>& references);
// A stop Error when it is malformed.
std::vector<ColumnReference> decode_references(std::string_view json);

// Before the key `tables` is written. False, and the key is removed, when they do not fit into one message.
bool remember_references(Broker& broker, const Names& names, const std::vector<ColumnReference>& references);
// Nothing when the key does not exist: an older replicator writes none.
std::optional<std::vector<ColumnReference>> find_references(Broker& broker, const Names& names);

}  // namespace pgsluice
