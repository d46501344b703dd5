// A group of its own on a nats-server, with its stream made, for tests of the stream.
#pragma once

#include <memory>
#include <string>

#include "stream/broker.h"
#include "tests/support/nats_server.h"

namespace pgsluice::test {

Log no_log();

std::unique_ptr<Broker> connect_broker(const std::string& url = shared_nats().url());

// The meta of message i of a stream in which every message is a transaction of one change.
MessageMeta at(std::uint64_t i);

// A call of JetStream's API, whatever it answers.
void ask_jetstream(Broker& broker, const std::string& subject, const std::string& request);

struct StreamGroup {
    explicit StreamGroup(NatsServer& server = shared_nats());

    std::unique_ptr<Publisher> publisher(StreamSeq last_seq, const PublisherLimits& limits = {}) const;
    std::unique_ptr<Consumer> consumer(StreamSeq from) const;
    // The bodies of all messages from the first still there, each with a comma behind it.
    std::string read_all() const;
    // Creates the stream with these settings instead of ours: a piece of JSON.
    void create_by_hand(const std::string& settings) const;
    void delete_message(StreamSeq seq) const;

    Names names;
    std::unique_ptr<Broker> broker;
};

}  // namespace pgsluice::test
