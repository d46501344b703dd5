// Which nats-server this is. nats.c knows but does not tell, so ask the way every client is greeted: the INFO line that
// the server sends when a connection opens (NATS client protocol, "INFO").
#pragma once

#include <array>
#include <string>
#include <string_view>

struct __natsConnection;

namespace pgsluice::nats {

// "2.9.10"; empty when it cannot be learnt. Waits a second at most for each step.
std::string ask_server_version(__natsConnection* connection);
// The version in an INFO line; empty when it has none.
std::string version_in_info(std::string_view line);
// Of "2.9.10" and the like; false when it is none.
bool is_before(std::string_view version, const std::array<int, 3>& other);

}  // namespace pgsluice::nats
