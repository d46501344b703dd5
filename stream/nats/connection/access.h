// How a connection proves who it is, and how it knows the server: --nats-credentials, --nats-nkey, --nats-ca,
// --nats-cert and the rest.
#pragma once

#include <string>

#include "stream/broker.h"
#include "stream/nats/connection/handle.h"
#include "stream/nats/connection/server_urls.h"

namespace pgsluice::nats {

// Sets them. A usage Error that names the file when one cannot be used. `name`: the servers, for messages.
void set_access(natsOptions& made, const BrokerOptions& options, const Login& login, const std::string& name);

// The library's own reason may quote a piece of the URL, and so of a password.
Error unreadable_url(const std::string& name);

// The server does not know our user or password, or no longer.
bool is_refused_login(natsStatus status);
inline constexpr const char* login_hint =
    "Give what the server knows: user:password@ or token@ in --nats-url, --nats-credentials, --nats-nkey, or "
    "--nats-cert with --nats-key.";

// Throws the error for a connection that was not made. A refusal by either side is an Outage: a password or a
// certificate was replaced, perhaps there before here. Called by the thread that tried.
[[noreturn]] void throw_connect_error(const std::string& name, natsStatus status, bool with_certificate);

}  // namespace pgsluice::nats
