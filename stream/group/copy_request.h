// Tables that are to be copied again: the KV key `copy_request` (FORMAT.md, "Keys"). `pgsluice resnapshot` adds to
// it; the group's replicator takes what it holds into its record of tables and empties it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "stream/broker.h"
#include "stream/change.h"
#include "stream/names.h"

namespace pgsluice {

struct CopyRequest {
    std::set<Oid> tables;
    std::uint64_t revision = 0;  // of the key; 0: it does not exist
    bool garbled = false;        // another program wrote it: it asks for nothing
};

std::string encode_copy_request(const std::set<Oid>& tables);
// A stop Error when it is none.
std::set<Oid> decode_copy_request(std::string_view json);

CopyRequest find_copy_request(Broker& broker, const Names& names);
// Beside what is asked for already.
void request_copies(Broker& broker, const Names& names, const std::set<Oid>& tables);
// What was asked for is in the record. Does nothing when more was asked for meanwhile: then all of it is taken again.
void end_copy_request(Broker& broker, const Names& names, const CopyRequest& taken);

}  // namespace pgsluice
