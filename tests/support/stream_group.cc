#include "tests/support/stream_group.h"

#include <unistd.h>

#include <atomic>
#include <stdexcept>

#include "sql/error.h"
#include "tests/support/process.h"

namespace pgsluice::test {

namespace {

Names next_names() {
    static std::atomic<int> count{0};
    return names_for("g" + std::to_string(::getpid()) + "_" + std::to_string(++count));
}

}  // namespace

// It is no message of a stream, so publish_one() takes the answer for a failure.
void ask_jetstream(Broker& broker, const std::string& subject, const std::string& request) {
    try {
        broker.publish_one(subject, request, {});
    } catch (const Error&) {
    }
}

Log no_log() {
    return [](LogLevel, std::string_view) {};
}

std::unique_ptr<Broker> connect_broker(const std::string& url) {
    BrokerOptions options;
    options.url = url;
    options.check_bodies = false;
    return Broker::connect(options, no_log(), {});
}

MessageMeta at(std::uint64_t i) { return {MessageKind::changes, {Lsn{i}, 1}, Lsn{i}}; }

StreamGroup::StreamGroup(NatsServer& server) : names(next_names()), broker(connect_broker(server.url())) {
    broker->ensure_stream(names, {});
}

std::unique_ptr<Publisher> StreamGroup::publisher(StreamSeq last_seq, const PublisherLimits& limits) const {
    return broker->publisher(names, last_seq, limits);
}

std::unique_ptr<Consumer> StreamGroup::consumer(StreamSeq from) const { return broker->consumer(names, from); }

std::string StreamGroup::read_all() const {
    const auto state = broker->stream_state(names.stream);
    if (!state) throw std::runtime_error("no stream");
    std::string bodies;
    const auto reader = consumer(state->first_seq);
    for (auto seq = state->first_seq; seq <= state->last_seq;) {
        const auto message = reader->next(10000);
        if (!message) return bodies + "(no more)";
        bodies.append(message->body) += ',';
        seq = {message->last_seq.value + 1};
    }
    return bodies;
}

void StreamGroup::create_by_hand(const std::string& settings) const {
    const auto config = R"({"name":")" + names.stream + R"(","subjects":[")" + names.snapshot_subject + R"(",")" +
                        names.changes_subject + R"("],"retention":"limits","num_replicas":1,)" + settings + "}";
    ask_jetstream(*broker, "$JS.API.STREAM.CREATE." + names.stream, config);
    if (!eventually("the stream is there", [this] { return broker->stream_state(names.stream).has_value(); })) {
        throw std::runtime_error("unable to create the stream by hand");
    }
}

void StreamGroup::delete_message(StreamSeq seq) const {
    ask_jetstream(*broker, "$JS.API.STREAM.MSG.DELETE." + names.stream, R"({"seq":)" + std::to_string(seq.value) + "}");
    if (!eventually("the message is gone", [&] { return !broker->message_at(names.stream, seq); })) {
        throw std::runtime_error("unable to delete a message");
    }
}

}  // namespace pgsluice::test
