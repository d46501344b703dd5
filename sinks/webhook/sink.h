// Changes posted to an HTTP endpoint.
//
// Guarantee: at least once, and in commit order per row. Each change carries the same Idempotency-Key however often it
// comes; a change counts as delivered when its request was answered with 2xx. Network errors, 408, 425, 429 and 5xx are
// repeated without end, 5xx that are the receiver's own up to max_attempts; other answers stop the worker or park the
// change, as --on-error says.
//
// Order: a row's changes always go through the same lane, and a lane has one request in flight. A change that concerns
// more than one row (truncate, DDL, a new key) waits for all lanes and goes alone.
#pragma once

#include <memory>
#include <stop_token>

#include "sinks/dead_letters.h"
#include "sinks/options.h"
#include "sinks/sink.h"
#include "stream/base/log.h"

namespace pgsluice {

// `dead_letters` may be null when options.on_error is `stop`; it must outlive the sink.
std::unique_ptr<Sink> make_webhook_sink(const WebhookSinkOptions& options, Log log, std::stop_token stop,
                                        DeadLetters* dead_letters = nullptr);

}  // namespace pgsluice
