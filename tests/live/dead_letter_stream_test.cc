// A change that no message can hold is not parked, and the error says why and what to do.
#include <doctest/doctest.h>

#include <string>

#include "sql/error.h"
#include "tests/support/nats_server.h"
#include "worker/dead_letters/stream.h"

using namespace pgsluice;
using namespace pgsluice::test;

TEST_CASE("a change larger than max_payload") {
    NatsServer nats({.extra_config = "max_payload: 65536"});
    BrokerOptions options;
    options.url = nats.url();
    DeadLetterStream letters(options, names_for("large"), "postgres", [](LogLevel, std::string_view) {}, {});
    const auto park = [&](std::size_t bytes) {
        const std::string content(bytes, 'x');
        Change change;
        change.op = Op::message;
        change.position = {Lsn{0x100}, 0};
        change.prefix = "note";
        change.content = content;
        try {
            letters.park(change, "(id)=(7) is too much", 0);
        } catch (const Error& error) {
            CHECK(error.action() == Action::stop);
            const std::string message = error.what();
            CHECK(message.find("unable to park a change at 0/100:0: its ") == 0);
            CHECK(message.find("max_payload of 65536") != std::string::npos);
            CHECK(message.find("(id)=(7) is too much") != std::string::npos);
            CHECK(error.hint().find("max_payload") != std::string::npos);
            return false;
        }
        return true;
    };
    // Up to the last byte that the server takes: it must never be the one to refuse.
    std::size_t fits = 1000;
    std::size_t too_large = 100000;
    REQUIRE(park(fits));
    REQUIRE_FALSE(park(too_large));
    while (too_large - fits > 1) {
        const std::size_t middle = (fits + too_large) / 2;
        (park(middle) ? fits : too_large) = middle;
    }
    CHECK(fits > 30000);
}
