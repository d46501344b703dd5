// The hints about NATS, its streams and its limits: each is followed to the letter, and the same call then works. How
// to connect is in nats_access_test.cc, what a user may do in nats_permissions_test.cc.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "sql/error.h"
#include "stream/group/delivered_rules.h"
#include "stream/group/schema_history.h"
#include "tests/support/nats_cluster.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"
#include "tests/support/user_stream.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

template <typename Call>
std::string hint_of(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        CAPTURE(error.what());
        CHECK(error.action() != Action::usage);
        return error.hint();
    }
    return "accepted";
}

// What the flags of `nats stream edit` do, as the server is told.
struct Edit {
    const char* wrong;
    const char* option;
    const char* right;
};

constexpr Edit edits[] = {
    {R"("max_age":1000000000000,"discard":"new")", "--max-age=0s", R"("max_age":0,"discard":"new")"},
    {R"("discard":"old")", "--discard=new", R"("discard":"new")"},
    {R"("discard":"new","max_msgs":5)", "--max-msgs=-1", R"("discard":"new","max_msgs":-1)"},
    {R"("discard":"new","max_msgs_per_subject":5)", "--max-msgs-per-subject=-1",
     R"("discard":"new","max_msgs_per_subject":-1)"},
    {R"("discard":"new","max_msg_size":500)", "--max-msg-size=-1", R"("discard":"new","max_msg_size":-1)"},
};

void call_stream(Broker& broker, const char* call, const Names& names, const std::string& subjects,
                 const std::string& settings) {
    ask_jetstream(broker, fmt::format("$JS.API.STREAM.{}.{}", call, names.stream),
                  fmt::format(R"({{"name":"{}","subjects":[{}],"retention":"limits","num_replicas":1,"storage":"file",)"
                              R"({}}})",
                              names.stream, subjects, settings));
}

std::string both_subjects(const Names& names) {
    return fmt::format(R"("{}","{}")", names.snapshot_subject, names.changes_subject);
}

}  // namespace

TEST_CASE("a stream whose settings lose messages is edited") {
    StreamGroup group;
    const Names& names = group.names;
    for (const Edit& edit : edits) {
        group.broker->delete_stream(names.stream);
        call_stream(*group.broker, "CREATE", names, both_subjects(names), edit.wrong);
        const auto start = [&] { group.broker->ensure_stream(names, {}); };
        CHECK(hint_of(start) == fmt::format("Run `nats stream edit {} {} --force`.", names.stream, edit.option));
        call_stream(*group.broker, "UPDATE", names, both_subjects(names), edit.right);
        CHECK(hint_of(start) == "accepted");
    }
}

TEST_CASE("a stream that lacks a subject of the group is edited") {
    StreamGroup group;
    const Names& names = group.names;
    group.broker->delete_stream(names.stream);
    call_stream(*group.broker, "CREATE", names, '"' + names.changes_subject + '"', R"("discard":"new")");
    const auto start = [&] { group.broker->ensure_stream(names, {}); };
    CHECK(hint_of(start) == fmt::format("Run `nats stream edit {} --subjects={},{} --force`.", names.stream,
                                        names.snapshot_subject, names.changes_subject));
    call_stream(*group.broker, "UPDATE", names, both_subjects(names), R"("discard":"new")");
    CHECK(hint_of(start) == "accepted");
}

TEST_CASE("another stream has the group's subjects") {
    StreamGroup group;
    const Names& names = group.names;
    group.broker->delete_stream(names.stream);
    Names other = names;
    other.stream = "OTHER_" + names.group;
    call_stream(*group.broker, "CREATE", other, both_subjects(names), R"("discard":"new")");
    const auto start = [&] { group.broker->ensure_stream(names, {}); };
    const std::string hint = hint_of(start);
    CHECK(hint == fmt::format("Find it with `nats stream ls --subject={}` and remove it, or choose another --group.",
                              names.snapshot_subject));
    SUBCASE("removed") {
        group.broker->delete_stream(other.stream);
        CHECK(hint_of(start) == "accepted");
    }
    SUBCASE("another group") {
        CHECK(hint_of([&] { group.broker->ensure_stream(names_for(names.group + "_b"), {}); }) == "accepted");
        group.broker->delete_stream(other.stream);
    }
}

TEST_CASE("more replicas than a single server keeps") {
    StreamGroup group;
    const auto keeps = [&](int replicas) {
        return hint_of([&] { group.broker->ensure_stream(group.names, {.replicas = replicas}); });
    };
    CHECK(keeps(3) == "Leave out --stream-replicas for this server; more than 1 needs a NATS cluster.");
    CHECK(keeps(1) == "accepted");
    group.broker->delete_stream(group.names.stream);
    CHECK(keeps(3) == "Lower --stream-replicas: it needs a NATS cluster with as many JetStream servers.");
    CHECK(keeps(1) == "accepted");
}

TEST_CASE("no JetStream, and no room in it") {
    NatsServer nats({.jetstream = false});
    const auto start = [&] { static_cast<void>(connect_broker(nats.url())); };
    CHECK(hint_of(start) ==
          "Start it with `nats-server -js`, or enable JetStream for the account in its configuration.");
    const std::string store = "jetstream { store_dir: \"" + nats.store_dir() + "\"\n";
    nats.restart_with(store + "max_file_store: 100K }");
    CHECK(hint_of(start) == "accepted");
    const Names names = names_for("room");
    const auto make = [&](std::int64_t bytes) {
        return hint_of([&] { connect_broker(nats.url())->ensure_stream(names, {.max_bytes = bytes}); });
    };
    CHECK(make(1 << 20) ==
          "Raise the limits of the NATS account or server (max_file_store in nats-server's "
          "configuration), or lower --stream-max-bytes.");
    SUBCASE("a smaller stream") { CHECK(make(10000) == "accepted"); }
    SUBCASE("more room") {
        nats.restart_with(store + "max_file_store: 10M }");
        CHECK(make(1 << 20) == "accepted");
    }
}

TEST_CASE("an account that may store little") {
    NatsServer nats({.extra_config =
                         "accounts { A { jetstream { max_file: 200K }, users: [ { user: a, password: a } ] } }\n"
                         "no_auth_user: a"});
    const auto broker = connect_broker(nats.url());
    if (broker->server_version() > "2.10") return;  // it refuses a message before it stores it
    const auto make = [&](std::int64_t bytes) {
        return hint_of([&] { broker->ensure_stream(names_for("crowded"), {.max_bytes = bytes}); });
    };
    CHECK(make(0) == "Set --stream-max-bytes well below that limit, or use nats-server 2.10.11 or later.");
    CHECK(make(100'000) == "accepted");
}

TEST_CASE("a max_payload that is too small") {
    NatsServer nats({.extra_config = "max_payload: 1024"});
    StreamGroup group(nats);
    const auto publish = [&] {
        const auto publisher = connect_broker(nats.url())->publisher(group.names, {0}, {});
        publisher->publish(at(1), "body");
        CHECK(publisher->await_acks(10000));
    };
    CHECK(hint_of(publish) == "Set max_payload in nats-server's configuration to 64 KB or more; its default is 1 MB.");
    nats.restart_with("max_payload: 64KB");
    CHECK(hint_of(publish) == "accepted");
}

TEST_CASE("notes of a worker that no message holds") {
    NatsServer nats({.extra_config = "max_payload: 4096"});
    const Names names = names_for("notes");
    {
        const auto broker = connect_broker(nats.url());
        broker->ensure_stream(names, {});
        broker->kv_put(names, "key", "value");
    }
    TableHistory history;
    history.accepted.push_back({{}, {16385, "public", std::string(9000, 't'), ReplicaIdentity::full, {}}, {}, {}});
    const std::string rules = encode(DeliveredRules{std::string(9000, 't'), "", "", false, {}});
    const auto keep_history = [&] {
        const auto broker = connect_broker(nats.url());
        SchemaHistory(*broker, names, "w").put(16385, &history);
    };
    const auto keep_rules = [&] {
        const auto broker = connect_broker(nats.url());
        DeliveredRulesKeys(*broker, names, "w").put(16385, rules);
    };
    const std::string hint = "Raise max_payload in nats-server's configuration.";
    CHECK(hint_of(keep_history) == hint);
    CHECK(hint_of(keep_rules) == hint);
    nats.restart_with("max_payload: 64KB");
    CHECK(hint_of(keep_history) == "accepted");
    CHECK(hint_of(keep_rules) == "accepted");
}

TEST_CASE("a JetStream domain that does not answer") {
    NatsServer nats({.jetstream_config = "domain: hub"});
    const auto connect = [&](const std::string& domain) {
        BrokerOptions options;
        options.url = nats.url();
        options.js_domain = domain;
        return hint_of([&] { static_cast<void>(Broker::connect(options, no_log(), {})); });
    };
    CHECK(connect("elsewhere") ==
          "Give the domain of the server that has JetStream (domain in its jetstream block) in --nats-js-domain, or "
          "leave that out.");
    CHECK(connect("hub") == "accepted");
    CHECK(connect("") == "accepted");
}
