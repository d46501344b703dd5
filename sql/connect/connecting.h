// Making a connection: what libpq's own loop does, but with an eye on the stop token.
#pragma once

#include <memory>
#include <stop_token>

#include "sql/connection.h"

namespace pgsluice::sql {

// How often a wait looks at its stop token.
constexpr int tick_ms = 50;

using ConnectionHandle = std::unique_ptr<pg_conn, void (*)(pg_conn*) noexcept>;

// Tries every host with each of its addresses, connect_timeout (10 s unless set) each. SqlError as Connection throws.
ConnectionHandle connect(const ConnectOptions& options, const std::stop_token& stop);

// Options for an ordinary connection to where this one has got, one of perhaps several hosts and addresses.
ConnectOptions at_same_place(const Connection& connection);

}  // namespace pgsluice::sql
