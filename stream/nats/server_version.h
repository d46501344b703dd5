// The version of nats-server. nats.c knows it but has no call for it, so read the INFO line that the server sends to
// every client when a connection opens (NATS client protocol, "INFO").
#pragma once

#include <array>
#include <string>
#include <string_view>

struct __natsConnection;

namespace pgsluice::nats {

// "2.9.10"; empty when it cannot be determined. Waits at most a second for each step.
std::string ask_server_version(__natsConnection* connection);
// The line itself; empty when it cannot be had.
std::string ask_server_info(__natsConnection* connection);
// A text in an INFO line; empty when it has none.
std::string text_in_info(std::string_view line, std::string_view field);
// The version in an INFO line; empty when it has none.
std::string version_in_info(std::string_view line);
// For versions like "2.9.10"; false when it is malformed.
bool is_before(std::string_view version, const std::array<int, 3>& other);

}  // namespace pgsluice::nats
