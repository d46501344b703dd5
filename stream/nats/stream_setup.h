// Creates the group's streams, and checks and changes the configuration of existing ones.
#pragma once

#include <string>
#include <vector>

#include "stream/broker.h"
#include "stream/nats/link.h"

namespace pgsluice::nats {

// A stop Error when the account may fill up before the stream does, on a server that then loses messages.
void check_account(const Link& link, std::int64_t account_bytes, const Names& names, const StreamConfig& config);
void add_stream(const Link& link, const std::string& stream, std::vector<const char*> subjects,
                const StreamConfig& config);
// Each way in which an existing stream is set up so that it can lose changes, as a stop Error.
std::vector<Error> config_faults(const jsStreamConfig& config, const Names& names);
// Throws the first of them.
void check_config(const jsStreamConfig& config, const Names& names);
void check_replicas(const Link& link, const std::string& stream, bool clustered, const StreamConfig& wanted);
void apply_limits(const Link& link, jsStreamConfig& current, const StreamConfig& wanted);
// Of the group's KV bucket, which must not be there.
void add_bucket(const Link& link, const std::string& bucket, int replicas);
// To a bucket's or the dead letters' stream, if it exists.
void apply_config(const Link& link, const std::string& stream, int replicas);

}  // namespace pgsluice::nats
