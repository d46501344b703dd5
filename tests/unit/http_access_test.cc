#include "cmd/http/access.h"

#include <doctest/doctest.h>

#include "cmd/http/listen_address.h"

using namespace pgsluice;

TEST_CASE("only the whole token is let in, whatever the case of its scheme and the blanks before it") {
    const HttpAccess access("0123456789abcdef");
    for (const char* right : {"Bearer 0123456789abcdef", "bearer 0123456789abcdef", "BEARER   0123456789abcdef"})
        CHECK(access.permits(right));
    for (const char* wrong :
         {"", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdef0", "Bearer 0123456789ABCDEF",
          "Bearer0123456789abcdef", "Basic 0123456789abcdef", "0123456789abcdef", "Bearer 0123456789abcdef "})
        CHECK_FALSE(access.permits(wrong));
}

TEST_CASE("without a token everyone is let in") {
    const HttpAccess access("");
    CHECK(access.permits(""));
    CHECK(access.permits("Bearer whatever"));
}

TEST_CASE("only what probes ask is open") {
    CHECK(is_open("/healthz"));
    CHECK(is_open("/readyz"));
    for (const char* path : {"/", "/metrics", "/status", "/healthz/", "/healthz/../metrics", ""})
        CHECK_FALSE(is_open(path));
}

TEST_CASE("only this machine's own addresses are loopback") {
    for (const char* own : {"127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "localhost:1"})
        CHECK(is_loopback(parse_listen_address(own)));
    for (const char* other : {":1", "0.0.0.0:1", "[::]:1", "10.0.0.1:1", "metrics.internal:1"})
        CHECK_FALSE(is_loopback(parse_listen_address(other)));
}
