#include "cmd/http/access.h"

#include <doctest/doctest.h>

#include "cmd/http/listen_address.h"
#include "cmd/http/request_host.h"

using namespace pgsluice;

TEST_CASE("only the whole token is let in, whatever the case of its scheme and the blanks before it") {
    const HttpAccess access("0123456789abcdef", "pgsluice_1");
    for (const char* right : {"Bearer 0123456789abcdef", "bearer 0123456789abcdef", "BEARER   0123456789abcdef"})
        CHECK(access.permits(right));
    for (const char* wrong :
         {"", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdef0", "Bearer 0123456789ABCDEF",
          "Bearer0123456789abcdef", "Basic 0123456789abcdef", "0123456789abcdef", "Bearer 0123456789abcdef "})
        CHECK_FALSE(access.permits(wrong));
}

TEST_CASE("without a token everyone is let in") {
    const HttpAccess access("", "pgsluice_1");
    CHECK_FALSE(access.log_in("", 1000));
    CHECK(access.permits(""));
    CHECK(access.permits("Bearer whatever"));
}

TEST_CASE("a cookie is good for its time, and only as it was given, for the same token") {
    const HttpAccess access("0123456789abcdef", "pgsluice_1");
    CHECK_FALSE(access.log_in("0123456789abcdeF", 1000));
    const std::string value = access.log_in("0123456789abcdef", 1000).value_or("");
    const std::string cookie = "pgsluice_1=" + value;
    const std::int64_t end = 1000 + HttpAccess::session_s;
    CHECK(access.permits_cookie(cookie, 1000));
    CHECK(access.permits_cookie("a=b; " + cookie + "; c=d", end - 1));
    CHECK_FALSE(access.permits_cookie(cookie, end));
    CHECK_FALSE(access.permits_cookie("pgsluice_2=" + value, 1000));
    CHECK_FALSE(HttpAccess("0123456789abcdeg", "pgsluice_1").permits_cookie(cookie, 1000));
    const std::string later = "pgsluice_1=" + std::to_string(end + 1) + value.substr(value.find('.'));
    for (const std::string& wrong :
         {std::string(), std::string("pgsluice_1"), std::string("pgsluice_1="), later, cookie + "0",
          cookie.substr(0, cookie.size() - 1), cookie.substr(0, cookie.find('.')),
          std::string("pgsluice_1=99999999999999999999.0"), std::string("pgsluice_1=-1.0")})
        CHECK_FALSE(access.permits_cookie(wrong, 1000));
}

TEST_CASE("only what probes ask and the way in are open") {
    CHECK(is_open("/healthz"));
    CHECK(is_open("/readyz"));
    CHECK(is_open("/login"));
    CHECK(is_open("/assets/page.css"));
    for (const char* path : {"/", "/metrics", "/status", "/live", "/history", "/assets", "/logout", "/healthz/",
                             "/healthz/../metrics", ""})
        CHECK_FALSE(is_open(path));
}

TEST_CASE("only this machine's own addresses are loopback") {
    for (const char* own : {"127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "localhost:1"})
        CHECK(is_loopback(parse_listen_address(own)));
    for (const char* other : {":1", "0.0.0.0:1", "[::]:1", "10.0.0.1:1", "metrics.internal:1"})
        CHECK_FALSE(is_loopback(parse_listen_address(other)));
}

TEST_CASE("a host is this machine by a name that no other can have") {
    const ListenAddress loopback = parse_listen_address("127.0.0.1:9187");
    for (const char* own : {"", "localhost", "localhost:9187", "LocalHost:8080", "127.0.0.1", "127.0.0.1:9187",
                            "127.1.2.3:1", "[::1]", "[::1]:9187"}) {
        INFO(own);
        CHECK(names_this_machine(own, loopback));
    }
    for (const char* other : {"evil.example", "evil.example:9187", "127.evil.example", "127.0.0.1.evil.example:9187",
                              "localhost.evil.example", "localhost@evil.example", "10.0.0.1:9187", "0.0.0.0:9187",
                              "[::2]:9187", "::1:9187", ":9187", "1"}) {
        INFO(other);
        CHECK_FALSE(names_this_machine(other, loopback));
    }
    CHECK(names_this_machine("[::1]:9187", parse_listen_address("localhost:9187")));
}
