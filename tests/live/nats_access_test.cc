// How the program proves to NATS who it is, and how it knows the server. What is refused says so.
#include <doctest/doctest.h>

#include <fstream>

#include "sql/outage.h"
#include "tests/support/certificates.h"
#include "tests/support/process.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

constexpr const char* seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
constexpr const char* its_user = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

// A server that wants TLS and, where `more` says so, a client's certificate.
struct TlsServer {
    explicit TlsServer(const std::string& more = {}, const std::string& name = "IP:127.0.0.1")
        : certificate(authority.sign("server", name)),
          nats({.extra_config = "tls { cert_file: \"" + certificate + ".crt\", key_file: \"" + certificate +
                                ".key\", ca_file: \"" + authority.file() + "\", " + more + " }"}) {
        options.url = nats.url();
        options.tls_ca_file = authority.file();
    }
    Authority authority;
    std::string certificate;
    NatsServer nats;
    BrokerOptions options;
};

void use(BrokerOptions& options, const std::string& certificate) {
    options.tls_cert_file = certificate + ".crt";
    options.tls_key_file = certificate + ".key";
}

// "connected", or what was thrown.
std::string connect(const BrokerOptions& options) {
    try {
        Broker::connect(options, no_log(), {});
        return "connected";
    } catch (const Error& error) {
        const char* action = error.action() == Action::retry && !refuses_start(error) ? "retry: " : "stop: ";
        return (error.action() == Action::usage ? "usage: " : action) + std::string(error.what()) +
               " HINT: " + error.hint();
    }
}

// A server that refuses our certificate may end the connection before we have written: then its alert cannot be read,
// and the program tries again.
std::string connect_until_told(const BrokerOptions& options) {
    std::string text;
    for (int tries = 0; tries < 20; ++tries) {
        text = connect(options);
        if (!contains(text, "SSL_write error")) break;
    }
    return text;
}

bool says(const std::string& text, const std::vector<std::string>& parts) {
    for (const auto& part : parts) {
        CHECK_MESSAGE(contains(text, part), text, " lacks ", part);
        if (!contains(text, part)) return false;
    }
    return true;
}

std::string write_file(const std::string& name, const std::string& text) {
    const std::string path = temporary_directory(name) + "/file";
    std::ofstream(path) << text;
    return path;
}

BrokerOptions at_url(const std::string& url) {
    BrokerOptions options;
    options.url = url;
    return options;
}

// nats://<login>@127.0.0.1:port
std::string with_login(const NatsServer& nats, const std::string& login) {
    return "nats://" + login + "@127.0.0.1:" + std::to_string(nats.port());
}

}  // namespace

TEST_CASE("a server that wants a client's certificate gets one") {
    TlsServer server("verify: true");
    use(server.options, server.authority.sign("client", "DNS:client"));
    CHECK(connect_until_told(server.options) == "connected");
}

TEST_CASE("a server that wants a client's certificate and gets none, or another's, is not waited for") {
    TlsServer server("verify: true");
    says(connect_until_told(server.options), {"stop: ", "without a certificate of ours", "--nats-cert"});
    const Authority other;
    use(server.options, other.sign("stranger", "DNS:stranger"));
    says(connect_until_told(server.options), {"stop: ", "refuses our certificate", "--nats-cert"});
    use(server.options, server.authority.sign("client", "DNS:client"));  // as both hints say
    CHECK(connect_until_told(server.options) == "connected");
}

TEST_CASE("a server whose certificate we do not trust is not waited for") {
    TlsServer server;
    CHECK(connect(server.options) == "connected");
    const Authority other;
    server.options.tls_ca_file = other.file();
    says(connect(server.options), {"stop: ", "we refuse the server's certificate", "--nats-ca"});
    server.options.tls_ca_file.clear();
    says(connect(server.options), {"stop: ", "we refuse the server's certificate", "--nats-ca"});
    const TlsServer elsewhere("", "DNS:elsewhere");
    says(connect(elsewhere.options), {"stop: ", "we refuse the server's certificate", "--nats-url a name that is in"});
}

TEST_CASE("a server without TLS is refused when TLS was asked for") {
    const Authority authority;
    BrokerOptions options = at_url(shared_nats().url());
    options.tls_ca_file = authority.file();
    says(connect(options), {"stop: ", "offers no TLS", "leave out --nats-ca"});
    options.tls_ca_file.clear();  // as the hint says
    CHECK(connect(options) == "connected");
}

TEST_CASE("certificates, keys and CA files that cannot be used are named") {
    TlsServer server("verify: true");
    const auto client = server.authority.sign("client", "DNS:client");
    const auto other = server.authority.sign("other", "DNS:other");
    BrokerOptions options = server.options;
    use(options, "/nowhere");
    says(connect(options), {"usage: ", "'/nowhere.crt'", "cannot be read"});
    use(options, client);
    options.tls_key_file = other + ".key";
    says(connect(options), {"usage: ", client + ".crt", other + ".key", "belong together"});
    const std::string locked = client + ".locked";
    REQUIRE(run({"openssl", "ec", "-in", client + ".key", "-aes256", "-passout", "pass:x", "-out", locked}).code == 0);
    options.tls_key_file = locked;
    says(connect(options), {"usage: ", locked, "encrypted", "`openssl pkey -in locked.key -out open.key`"});
    const std::string open = client + ".open";
    REQUIRE(run({"openssl", "pkey", "-in", locked, "-passin", "pass:x", "-out", open}).code == 0);
    options.tls_key_file = open;
    CHECK(connect_until_told(options) == "connected");
    options = server.options;
    options.tls_ca_file = "/nowhere/ca";
    says(connect(options), {"usage: ", "'/nowhere/ca'", "cannot be read"});
}

TEST_CASE("a user with an NKey") {
    const NatsServer nats({.extra_config = std::string("authorization { users = [ { nkey: ") + its_user + " } ] }"});
    BrokerOptions options = at_url(nats.url());
    says(connect(options), {"stop: ", "uthorization", "--nats-nkey"});
    options.nkey_file = write_file("nkey", std::string(seed) + "\n");
    CHECK(connect(options) == "connected");
    options.nkey_file = write_file(
        "nkey_block", "-----BEGIN USER NKEY SEED-----\n" + std::string(seed) + "\n------END USER NKEY SEED------\n");
    CHECK(connect(options) == "connected");
    options.nkey_file = write_file("no_nkey", "nothing here\n");
    says(connect(options), {"usage: ", options.nkey_file, "no user's seed"});
    options.nkey_file = "/nowhere/nkey";
    says(connect(options), {"usage: ", "/nowhere/nkey", "cannot be read"});
}

TEST_CASE("passwords with any character, written as %XX") {
    const NatsServer nats({.extra_config = R"(authorization { user: "a:b@c", password: "p,/%?#\"\\@: x" })"});
    CHECK(connect(at_url(with_login(nats, "a%3Ab%40c:p%2C%2F%25%3F%23%22%5C%40%3A%20x"))) == "connected");
    const std::string refused = connect(at_url(with_login(nats, "a%3Ab%40c:geheim%2Cwort")));
    says(refused, {"stop: ", "uthorization", "--nats-url"});
    CHECK_FALSE(contains(refused, "geheim"));
    CHECK_FALSE(contains(refused, "wort"));
}

TEST_CASE("a token, written as %XX") {
    const NatsServer nats({.extra_config = R"(authorization { token: "s3cr,t@%41" })"});
    CHECK(connect(at_url(with_login(nats, "s3cr%2Ct%40%2541"))) == "connected");
}

TEST_CASE("a comma in a password: the message says how to write it, and shows nothing of it") {
    const std::string refused = connect(at_url("nats://user:geheim,wort:x@127.0.0.1:4222"));
    says(refused, {"usage: ", "%2C"});
    CHECK_FALSE(contains(refused, "geheim"));
    CHECK_FALSE(contains(refused, "wort"));
}

TEST_CASE("TLS first: used where the library can, refused with the way out where it cannot") {
    BrokerOptions options = at_url(shared_nats().url());
    options.tls_first = true;
    const std::string said = connect(options);
    if (contains(said, "usage: ")) says(said, {"3.10", "handshake_first"});
}

TEST_CASE("a JetStream domain: streams, messages and keys") {
    NatsServer nats({.jetstream_config = "domain: hub"});
    BrokerOptions options = at_url(nats.url());
    options.js_domain = "hub";
    const auto broker = Broker::connect(options, no_log(), {});
    const Names names = names_for("domain");
    broker->ensure_stream(names, {});
    broker->kv_put(names, "key", "value");
    CHECK(broker->kv_get(names, "key")->text == "value");
    const auto publisher = broker->publisher(names, {0}, {});
    publisher->publish(at(1), "body", nullptr);
    REQUIRE(publisher->await_acks(10000));
    const auto consumer = broker->consumer(names, {1});
    const auto message = consumer->next(10000);
    REQUIRE(message);
    CHECK(message->body == "body");

    options.js_domain = "elsewhere";
    says(connect(options), {"stop: ", "domain 'elsewhere'", "--nats-js-domain"});
}

TEST_CASE("a user that may subscribe to a prefix of its own only") {
    NatsServer nats({.extra_config = R"(authorization { users = [ { user: a, password: b, permissions: {
        publish: ">", subscribe: "_INBOX_shop.>" } } ] })"});
    BrokerOptions options = at_url(with_login(nats, "a:b"));
    says(connect(options), {"stop: ", "may not subscribe to '_INBOX.>'", "--nats-inbox-prefix"});
    options.inbox_prefix = "_INBOX_shop";
    const auto broker = Broker::connect(options, no_log(), {});
    const Names names = names_for("inboxes");
    broker->ensure_stream(names, {});
    broker->kv_put(names, "key", "value");
    const auto publisher = broker->publisher(names, {0}, {});
    publisher->publish(at(1), "body", nullptr);
    REQUIRE(publisher->await_acks(10000));
    const auto consumer = broker->consumer(names, {1});
    REQUIRE(consumer->next(10000));
    const auto others = broker->subject_publisher();
    REQUIRE(others->wait_for_room(7, 10000));
    others->publish("pgsluice.inboxes.changes", "foreign", "1");
    CHECK(others->await_acks(10000));
}
