// What of NATS's ways in needs no server: URLs, NKeys, the words of a denied permission.
#include <doctest/doctest.h>

#include "sql/error.h"
#include "stream/nats/connection/denials.h"
#include "stream/nats/connection/nkey.h"
#include "stream/nats/connection/server_urls.h"

using namespace pgsluice;
using namespace pgsluice::nats;

using Urls = std::vector<std::string>;

TEST_CASE("user and password are taken out of the URLs, and decoded") {
    const auto servers = parse_server_urls("nats://a%40b:p%2Cw%3a%25@h1:4222, tls://h2:4223/x");
    CHECK(servers.urls == Urls{"nats://h1:4222", "tls://h2:4223/x"});
    CHECK(servers.login == Login{"a@b", "p,w:%"});
}

TEST_CASE("a name alone is a token; a % without two digits is a character") {
    CHECK(parse_server_urls("t%2Cn%zz%4@h").login == Login{"t,n%zz%4", ""});
    CHECK(parse_server_urls("nats://h:1").login == Login{});
    CHECK(parse_server_urls("nats://u:p@ss:w@h:1").login == Login{"u", "p@ss:w"});
    CHECK_THROWS_AS(parse_server_urls(" , "), Error);
}

TEST_CASE("URLs that name different users are left as they are, if they can be") {
    const auto servers = parse_server_urls("nats://a:b@h1,nats://c:d@h2,h3");
    CHECK(servers.urls == Urls{"nats://a:b@h1", "nats://c:d@h2", "h3"});
    CHECK(servers.login == Login{});
    CHECK_THROWS_AS(parse_server_urls("nats://a:b@h1,nats://c:%64@h2"), Error);
    CHECK(parse_server_urls("nats://a:b@h1,nats://a:%62@h2").login == Login{"a", "b"});
}

TEST_CASE("no part of a password is shown") {
    CHECK(describe_servers("nats://u:geheim@h1:1,nats://u:geheim@h2") == "nats://h1:1,nats://h2");
    CHECK(describe_servers("nats://u:geheim,wort@h1:1") == "h1:1");
    CHECK(describe_servers("nats://token@h1") == "nats://h1");
    CHECK(describe_servers("u:geheim,nats://wort@h1:1") == "***,nats://h1:1");
    CHECK(describe_servers("nats://u:geheim,nats://wort@h1:1/") == "***,nats://h1:1/");
    CHECK(describe_servers("h0,h1:1,nats://[::1]:4222,[::1]") == "h0,h1:1,nats://[::1]:4222,[::1]");
}

TEST_CASE("the public key of a user's seed") {
    constexpr const char* seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    CHECK(public_nkey(seed) == "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4");
    CHECK(find_seed(std::string("-----BEGIN USER NKEY SEED-----\r\n") + seed + "\r\n------END\r\n") == seed);
    CHECK_FALSE(public_nkey("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VX"));
    CHECK_FALSE(public_nkey("UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"));
    CHECK_FALSE(public_nkey(""));
    CHECK_FALSE(find_seed("user: x\npassword: y\n"));
}

TEST_CASE("the server's words for a missing permission") {
    CHECK(parse_denial("Permissions Violation for Publish to \"$JS.API.INFO\"") == Denial{true, "$JS.API.INFO"});
    CHECK(parse_denial("permissions violation for subscription to \"_INBOX.x.*\" using queue \"q\"") ==
          Denial{false, "_INBOX.x.*"});
    CHECK(parse_denial("Permissions Violation for Publish to \"cut") == Denial{true, "cut"});
    CHECK_FALSE(parse_denial("Authorization Violation"));
    CHECK_FALSE(parse_denial("Slow Consumer"));
}

TEST_CASE("what has to be allowed does not name a connection or a consumer") {
    CHECK(pattern_of("_INBOX.abc.*", "_INBOX") == "_INBOX.>");
    CHECK(pattern_of("mine.abc.d", "mine") == "mine.>");
    CHECK(pattern_of("$JS.FC.pgsluice_shop.abc.1", "_INBOX") == "$JS.FC.pgsluice_shop.>");
    CHECK(pattern_of("$JS.API.CONSUMER.CREATE.pgsluice_shop", "_INBOX") == "$JS.API.CONSUMER.CREATE.pgsluice_shop");
    CHECK(pattern_of("$JS.hub.API.CONSUMER.DELETE.pgsluice_shop.x", "_INBOX") ==
          "$JS.hub.API.CONSUMER.DELETE.pgsluice_shop.>");
    CHECK(pattern_of("$KV.pgsluice_shop.worker.x", "_INBOX") == "$KV.pgsluice_shop.worker.x");
}

TEST_CASE("a denial explains the operations after it, one of a subscription all of them") {
    Denials denials;
    const Denials::Time now = std::chrono::steady_clock::now();
    CHECK_FALSE(denials.any());
    CHECK(denials.add({true, "a.b.c"}, "_INBOX", now));
    CHECK_FALSE(denials.add({true, "a.b.c"}, "_INBOX", now));
    CHECK(denials.find("b.c", now) == Denial{true, "a.b.c"});
    CHECK_FALSE(denials.find("b.d", now));
    CHECK_FALSE(denials.find("b.c", now + std::chrono::seconds(1)));
    denials.add({false, "_INBOX.1.*"}, "_INBOX", now);
    CHECK(denials.find("b.d", now + std::chrono::seconds(1)) == Denial{false, "_INBOX.>"});
    denials.clear();
    CHECK_FALSE(denials.any());
    CHECK_FALSE(denials.find("b.c", now));
}
