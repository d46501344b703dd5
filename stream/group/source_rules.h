// That a group's replicator applies rules before it publishes (replicator --rules-config): the KV key `source_rules`
// (FORMAT.md, "Keys"), written before the first thing that they hold for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "stream/broker.h"
#include "stream/names.h"

namespace pgsluice {

struct SourceRulesRecord {
    std::string digest;  // of the rules file's text

    bool operator==(const SourceRulesRecord&) const = default;
};

std::string encode(const SourceRulesRecord& record);
// A stop Error when it is malformed.
SourceRulesRecord decode_source_rules(std::string_view json);

void remember_source_rules(Broker& broker, const Names& names, const SourceRulesRecord& record);
void forget_source_rules(Broker& broker, const Names& names);
// Nothing when the group has none. A record that cannot be read is one with an unknown digest: what has to be hidden
// must not show because of it.
std::optional<SourceRulesRecord> find_source_rules(Broker& broker, const Names& names);

}  // namespace pgsluice
