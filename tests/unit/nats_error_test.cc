#include <doctest/doctest.h>

#include "stream/nats/connection/handle.h"

using namespace pgsluice;

TEST_CASE("nats.c's source positions are not in messages") {
    CHECK(nats::without_source_position("(conn.c:2088): No server available") == "No server available");
    CHECK(nats::without_source_position("No server available") == "No server available");
    CHECK(nats::without_source_position("(two: three): four") == "(two: three): four");
    CHECK(nats::without_source_position("(conn.c:2088)") == "(conn.c:2088)");
    CHECK(nats::without_source_position("").empty());
}

TEST_CASE("the reason of a failed call is the library's own, or the name of its status") {
    natsConnection* none = nullptr;
    const auto status = natsConnection_ConnectTo(&none, "nats://127.0.0.1:1");
    REQUIRE(status == NATS_NO_SERVER);
    const Error failed = nats::error("connect", status);
    CHECK(failed.action() == Action::retry);
    CHECK(std::string(failed.what()).find(".c:") == std::string::npos);
    CHECK(nats::last_error(NATS_TIMEOUT) == natsStatus_GetText(NATS_TIMEOUT));
}
