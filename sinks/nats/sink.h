// Each change as a NATS message of its own, for services that subscribe to just what they need.
//
// Guarantee: at least once, in commit order; a repeat carries the same Nats-Msg-Id, so that a JetStream stream drops it
// if it comes within the stream's duplicate_window. The streams that take the subjects are the user's own.
#pragma once

#include <memory>
#include <stop_token>

#include "sinks/options.h"
#include "sinks/sink.h"
#include "stream/base/log.h"
#include "stream/broker.h"

namespace pgsluice {

// `group_server` is where the group's own stream is: used when the options name no server. A usage Error when
// options.subject makes no subject.
std::unique_ptr<Sink> make_nats_sink(const NatsSinkOptions& options, const BrokerOptions& group_server, Log log,
                                     std::stop_token stop);

}  // namespace pgsluice
