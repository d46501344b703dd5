#include "cmd/http/listen_address.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace pgsluice;

TEST_CASE("an address to listen on is a host and a port") {
    CHECK(parse_listen_address("127.0.0.1:9187") == ListenAddress{"127.0.0.1", 9187});
    CHECK(parse_listen_address("metrics.internal:0") == ListenAddress{"metrics.internal", 0});
    CHECK(parse_listen_address(":9187") == ListenAddress{"0.0.0.0", 9187});
    CHECK(parse_listen_address("[::1]:9187") == ListenAddress{"::1", 9187});
    CHECK(to_string(parse_listen_address("[::1]:9187")) == "[::1]:9187");
    CHECK(to_string(parse_listen_address("127.0.0.1:9187")) == "127.0.0.1:9187");
}

TEST_CASE("anything else is refused") {
    for (const std::string text :
         {"", "9187", "localhost", "localhost:", "localhost:http", "localhost:70000", "::1:9187",
          "http://localhost:9187", "[localhost]:9187", "localhost:-1", "localhost:9187 "}) {
        INFO(text);
        CHECK_THROWS_AS(parse_listen_address(text), std::invalid_argument);
    }
}
