// A group whose replicator applies rules, on a nats-server of its own, and everything that may show what they hide.
#pragma once

#include <string>
#include <vector>

#include "stream/broker.h"
#include "stream/names.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

namespace pgsluice::test {

// Every hidden value holds this word.
inline constexpr const char* canary = "canary";

struct OwnNats {
    NatsServer nats;
};

// Headers and bodies of all messages.
inline std::string messages_of(Broker& broker, const std::string& stream) {
    std::string text;
    const auto state = broker.stream_state(stream);
    if (!state) return text;
    for (StreamSeq seq = state->first_seq; seq <= state->last_seq; ++seq.value) {
        const auto message = broker.stored_message(stream, seq);
        if (!message) continue;
        for (const auto& [name, value] : message->headers) text.append(name).append(": ").append(value + "\n");
        text.append(message->body).append("\n");
    }
    return text;
}

// The bucket's keys and their values.
inline std::string keys_of(Broker& broker, const Names& names) {
    std::string text;
    for (const std::string& key : broker.kv_keys(names))
        if (const auto value = broker.kv_get(names, key)) text.append(key).append("=").append(value->text + "\n");
    return text;
}

class RuledSource : OwnNats, public Pipeline {
   public:
    explicit RuledSource(const std::string& rules)
        : Pipeline({shared_postgres(), shared_postgres(), OwnNats::nats}), file(rules) {
        always({"--log-level", "debug"}, {"--log-level", "debug"});
    }

    void start_ruled(std::vector<std::string> more = {"--copy-and-stream"},
                     std::map<std::string, std::string> environment = {}) {
        start_replicator(with_rules(std::move(more)), std::move(environment));
    }
    [[nodiscard]] std::vector<std::string> with_rules(std::vector<std::string> more) const {
        more.insert(more.end(), {"--rules-config", file.path()});
        return more;
    }

    // Where the word is: "stream", "bucket", "store", "log"; nowhere when the rules hide it.
    [[nodiscard]] std::vector<std::string> found() {
        std::vector<std::string> places;
        const auto look = [&](const char* place, const std::string& text) {
            if (contains(text, canary) || contains(text, "63616e617279")) places.emplace_back(place);
        };
        look("stream", messages());
        look("bucket", keys());
        look("store", stored());
        look("log", logs + (has_replicator() ? replicator().err() : "") + (has_worker() ? worker().err() : ""));
        return places;
    }
    // All files of the nats-server.
    [[nodiscard]] std::string stored() const { return all_files(OwnNats::nats.store_dir()); }
    [[nodiscard]] std::string messages() const { return messages_of(*broker, names.stream); }
    [[nodiscard]] std::string keys() const { return keys_of(*broker, names); }

    const rules_test::TextFile file;
    Names names = names_for(group());
    std::unique_ptr<Broker> broker = connect_broker(OwnNats::nats.url());
    std::string logs;  // of processes that are gone
};

}  // namespace pgsluice::test
