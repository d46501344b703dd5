// The HTTP server's token and its TLS.
#include <doctest/doctest.h>

#include <fstream>
#include <optional>

#include "tests/support/certificates.h"
#include "tests/support/hint.h"
#include "tests/support/http_get.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

const std::string token = "f00dfacef00dfacef00dface";

std::string file_with(const std::string& text) {
    const std::string path = temporary_directory("token") + "/token";
    std::ofstream(path) << text;
    return path;
}

// Its NATS server is not there, so it waits for it.
std::vector<std::string> waiting_worker(const std::string& address, const std::vector<std::string>& more = {}) {
    std::vector<std::string> argv{
        PGSLUICE_BINARY,        "worker",  "stdout",        "--group", "shop", "--nats-url", "nats://127.0.0.1:1",
        "--retry-max-attempts", "1000000", "--http-listen", address};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
}

std::string port_of(const std::string& url) { return url.substr(url.rfind(':') + 1); }

const Authority& authority() {
    static const Authority one;
    return one;
}

// Paths without ".crt" and ".key".
const std::string& signed_for_loopback() {
    static const std::string path = authority().sign("worker", "IP:127.0.0.1");
    return path;
}

std::vector<std::string> with_tls(const std::string& cert, const std::string& key) {
    return {"--http-cert", cert, "--http-key", key};
}

}  // namespace

TEST_CASE("without the token only probes are answered") {
    Process worker({waiting_worker("127.0.0.1:0", {"--http-token-file", file_with(token + "\n")})});
    const std::string url = served_at(worker);
    for (const std::string& wrong :
         {std::string(), "Bearer " + token + "0", "Basic " + token, std::string("Bearer ")}) {
        for (const char* path : {"/metrics", "/status", "/live", "/history", "/nothing"}) {
            INFO(path, " with ", wrong);
            const GetReply reply = http_get(url, path, {.authorization = wrong});
            CHECK(reply.status == 401);
            CHECK(reply.body == "a token is needed: Authorization: Bearer TOKEN\n");
        }
    }
    CHECK(http_get(url, "/").status == 303);
    CHECK(contains(http_get(url, "/login").body, "<form method=\"post\" action=\"login\">"));
    CHECK(http_get(url, "/healthz").status == 200);
    CHECK(contains(http_get(url, "/readyz").body, "not ready: "));
    const GetReply metrics = http_get(url, "/metrics", {.authorization = "Bearer " + token});
    CHECK(metrics.status == 200);
    CHECK(contains(metrics.body, "pgsluice_build_info"));
    CHECK(http_get(url, "/nothing", {.authorization = "Bearer " + token}).status == 404);
    CHECK_FALSE(contains(worker.err(), token));
}

TEST_CASE("the login form gives a cookie that counts as the token, until it is changed or another token is used") {
    const std::string port = std::to_string(free_port());
    const auto argv = [&](const std::string& secret) {
        return waiting_worker("127.0.0.1:" + port, {"--http-token-file", file_with(secret)});
    };
    std::optional<Process> worker(std::in_place, ProcessOptions{argv(token)});
    const std::string url = served_at(*worker);
    const PostReply wrong = http_post(url, "/login", "token=" + token + "0");
    CHECK(wrong.status == 303);
    CHECK(wrong.location == "login#wrong");
    CHECK(wrong.cookie.empty());
    const PostReply right = http_post(url, "/login", "token=" + token);
    CHECK(right.location == "./");
    CHECK(right.cookie.starts_with("pgsluice_" + port + "="));
    CHECK(right.cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"));
    const std::string cookie = right.cookie.substr(0, right.cookie.find(';'));
    const auto status = [&](const std::string& shown) {
        return http_get(url, "/metrics", {.authorization = "", .cookie = shown}).status;
    };
    CHECK(status(cookie) == 200);
    CHECK(status("other=1; " + cookie) == 200);
    CHECK(status(cookie + "0") == 401);
    CHECK(status("x" + cookie) == 401);
    CHECK(status("pgsluice_" + port + "=" + token) == 401);
    const PostReply out = http_post(url, "/logout", "");
    CHECK(out.status == 401);  // only who is in can go out
    worker.emplace(ProcessOptions{argv(token)});
    served_at(*worker);
    CHECK(status(cookie) == 200);
    worker.emplace(ProcessOptions{argv(token + "2")});
    served_at(*worker);
    CHECK(status(cookie) == 401);
}

TEST_CASE("whoever listens on all addresses without a token is warned") {
    const std::string warning = "sees names of tables and texts of errors; --http-token-file asks for a token";
    Process everyone({waiting_worker(":0")});
    const std::string url = served_at(everyone);
    eventually("it warns", [&] { return contains(everyone.err(), "whoever can reach " + url + " " + warning); });
    Process with_token({waiting_worker(":0", {"--http-token-file", file_with(token)})});
    Process on_loopback({waiting_worker("127.0.0.1:0")});
    for (Process* process : {&with_token, &on_loopback}) {
        served_at(*process);
        eventually("it has come further", [&] { return contains(process->err(), "unable to connect"); });
        CHECK_FALSE(contains(process->err(), warning));
    }
}

TEST_CASE("on loopback, without a token, only requests that name this machine are answered") {
    const auto status = [](const std::string& url, const std::string& path, const std::string& host) {
        return http_get(url, path, {.authorization = "", .host = host}).status;
    };
    for (const char* address : {"127.0.0.1:0", "localhost:0", "[::1]:0"}) {
        Process worker({waiting_worker(address)});
        const std::string url = served_at(worker);
        const std::string port = port_of(url);
        CHECK(http_get(url, "/metrics").status == 200);
        for (const char* host : {"localhost:", "127.0.0.1:", "[::1]:"}) {
            INFO(url, " as ", host);
            CHECK(status(url, "/metrics", host + port) == 200);
        }
        for (const char* path : {"/", "/metrics", "/status", "/healthz", "/login", "/nothing"})
            CHECK(status(url, path, "rebound.example:" + port) == 421);
        const GetReply refused = http_get(url, "/metrics", {.authorization = "", .host = "rebound.example:" + port});
        CHECK(refused.body ==
              "this address is for this machine: ask for it as localhost or 127.0.0.1, or give --http-token-file\n");
    }
    // Behind a proxy that passes its own name on; and where others ask for it by theirs.
    Process with_token({waiting_worker("127.0.0.1:0", {"--http-token-file", file_with(token)})});
    const GetOptions proxied{.authorization = "Bearer " + token, .host = "worker.example"};
    CHECK(http_get(served_at(with_token), "/metrics", proxied).status == 200);
    Process everyone({waiting_worker(":0")});
    const std::string reached = "http://127.0.0.1:" + port_of(served_at(everyone));
    CHECK(status(reached, "/metrics", "worker.example") == 200);
}

TEST_CASE("a token that is short, has blanks, or is missing is refused at start") {
    for (const std::string& bad : {std::string("fifteen-letters"), std::string("two words of some length")}) {
        const Finished refused = run(waiting_worker("127.0.0.1:0", {"--http-token-file", file_with(bad)}));
        CHECK(refused.code == 2);
        CHECK(contains(refused.err, "of --http-token-file: expected a file with one token of at least 16 letters"));
        CHECK_FALSE(contains(refused.err, bad));
    }
    const Finished missing = run(waiting_worker("127.0.0.1:0", {"--http-token-file", "/nonexistent"}));
    CHECK(missing.code == 2);
    CHECK(contains(missing.err, "unable to read the file '/nonexistent'"));
}

TEST_CASE("with a certificate everything is served over TLS, also to the health check") {
    const std::string pair = signed_for_loopback();
    Process worker({waiting_worker("127.0.0.1:0", with_tls(pair + ".crt", pair + ".key"))});
    const std::string url = served_at(worker);
    CHECK(url.starts_with("https://127.0.0.1:"));
    const GetOptions trusting{.authorization = "", .ca_file = authority().file()};
    CHECK(http_get(url, "/healthz", trusting).body == "alive\n");
    CHECK(contains(http_get(url, "/metrics", trusting).body, "pgsluice_build_info"));
    CHECK(http_get(url, "/healthz").status == 0);  // the system knows no such authority
    CHECK(http_get("http://127.0.0.1:" + port_of(url), "/healthz").status == 0);
    const std::string address = "127.0.0.1:" + port_of(url);
    CHECK(run({PGSLUICE_BINARY, "health", "--http-listen", address, "--http-cert", pair + ".crt"}).code == 0);
    const Finished plain = run({PGSLUICE_BINARY, "health", "--http-listen", address});
    CHECK(plain.code == 1);
    CHECK(contains(plain.err, "HINT: Give this command the same --http-listen, and --http-cert, as the process"));
    const std::string connect = "openssl s_client -connect " + address + " </dev/null 2>&1";
    CHECK(contains(run({"sh", "-c", connect + " -tls1_2"}).out, "Cipher is ECDHE"));
    CHECK(contains(run({"sh", "-c", connect + " -tls1_1 -cipher ALL:@SECLEVEL=0"}).out, "Cipher is (NONE)"));
}

TEST_CASE("a certificate or key that cannot be used is an error, and what the hint says works") {
    const std::string pair = signed_for_loopback();
    const std::string other = authority().sign("other", "IP:127.0.0.1");
    struct Bad {
        std::string cert, key, error;
    };
    for (const Bad& bad : {Bad{"/nonexistent", pair + ".key", "certificate '/nonexistent': No such file or directory"},
                           Bad{pair + ".key", pair + ".key", "certificate '" + pair + ".key': "},
                           Bad{pair + ".crt", "/nonexistent", "key '/nonexistent': No such file or directory"},
                           Bad{pair + ".crt", other + ".key", "key '" + other + ".key': key values mismatch"}}) {
        const Finished refused = run(waiting_worker("127.0.0.1:0", with_tls(bad.cert, bad.key)));
        INFO(refused.err);
        CHECK(refused.code == 1);
        CHECK(contains(refused.err, "unable to use " + bad.error));
    }
    const std::string hint = refusal(waiting_worker("127.0.0.1:0", with_tls(pair + ".crt", other + ".key")),
                                     "the private key of --http-cert in PEM, without a passphrase");
    const std::string flag = said(hint, "--http-key", " a file");
    Process worker({waiting_worker("127.0.0.1:0", {"--http-cert", pair + ".crt", flag, pair + ".key"})});
    CHECK(http_get(served_at(worker), "/healthz", {.authorization = "", .ca_file = authority().file()}).status == 200);
    const Finished alone = run(waiting_worker("127.0.0.1:0", {"--http-cert", pair + ".crt"}));
    CHECK(alone.code == 2);
    CHECK(contains(alone.err, "--http-cert and --http-key are of no use alone"));
}
