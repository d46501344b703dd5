#include "sinks/webhook/client.h"

#include <doctest/doctest.h>

#include "sql/error.h"

using namespace pgsluice;
using Kind = HttpOutcome::Kind;

TEST_CASE("what a status means") {
    for (const long status : {200, 201, 202, 204}) CHECK(outcome_of(status).kind == Kind::accepted);
    for (const long status : {408, 425, 429, 502, 503, 504}) CHECK(outcome_of(status).kind == Kind::retry);
    for (const long status : {500, 501, 505, 599}) CHECK(outcome_of(status).kind == Kind::failed);
    CHECK(outcome_of(413).kind == Kind::too_large);
    for (const long status : {301, 302, 307, 400, 401, 403, 404, 409, 410, 422}) {
        CHECK(outcome_of(status).kind == Kind::refused);
    }
    CHECK(outcome_of(404).reason == "the receiver answered 404");
}

TEST_CASE("a signature is the HMAC of time and body") {
    // printf '1795215900.{"a":1}' | openssl dgst -sha256 -hmac secret
    CHECK(webhook_signature("secret", 1795215900, R"({"a":1})") ==
          "t=1795215900,v1=ade00192974634b782a107a3b5723dd96ea5ba47afd2a83dc5c5d72310e24e64");
}

TEST_CASE("a header that is sent anyway is not taken a second time") {
    WebhookSinkOptions options;
    options.url = "http://127.0.0.1/hook";
    options.headers = {"Idempotency-Key-2: x", "Authorization: Basic eDp5"};
    WebhookClient(options, 1);
    options.bearer_token = "t";
    CHECK_THROWS_AS(WebhookClient(options, 1), Error);
    options.headers = {"idempotency-key: x"};
    CHECK_THROWS_AS(WebhookClient(options, 1), Error);
    options.headers = {"X-Pgsluice-Signature: x"};
    WebhookClient(options, 1);
    options.hmac_secret = "s";
    CHECK_THROWS_AS(WebhookClient(options, 1), Error);
}

TEST_CASE("messages name the host and nothing that may be secret") {
    CHECK(webhook_host("https://user:pass@hooks.example.com/services/T0/secret?key=1") == "hooks.example.com:443");
    CHECK(webhook_host("http://127.0.0.1:8080/hook") == "127.0.0.1:8080");
    CHECK(webhook_host("http://[::1]/x") == "[::1]:80");
    CHECK(webhook_host("::") == "webhook");
}
