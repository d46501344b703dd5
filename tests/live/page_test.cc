// The page at / in a real browser, with real traffic.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "stream/group/registry.h"
#include "tests/support/browser.h"
#include "tests/support/http_get.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"
#include "tests/support/writers.h"

using namespace pgsluice::test;
using pgsluice::names_for;

namespace {

const std::vector<std::string> serving{"--http-listen", "127.0.0.1:0"};

std::vector<std::string> copying() { return {"--http-listen", "127.0.0.1:0", "--copy-and-stream"}; }

std::string text_of(Browser& browser, const std::string& id) {
    return browser.value("document.getElementById('" + id + "').textContent");
}

std::string has(const std::string& id, const std::string& text) {
    return "document.getElementById('" + id + "').textContent.includes('" + text + "')";
}

// Nothing that a user would see as broken, and nothing from anywhere else.
void check_clean(Browser& browser, const std::string& url) {
    for (const std::string& complaint : browser.complaints()) CHECK_MESSAGE(false, complaint);
    for (const std::string& address : browser.requested()) {
        INFO(address);
        CHECK((address.starts_with(url + "/") || address.starts_with("about:")));
    }
    CHECK(browser.requested().contains(url + "/assets/page.js"));
}

// With PGSLUICE_PAGE_PICTURES=cmd/page the pictures of the documentation are taken again.
const char* pictures() { return std::getenv("PGSLUICE_PAGE_PICTURES"); }

void take_picture(Browser& browser, const std::string& name) {
    const std::string path =
        (pictures() != nullptr ? pictures() : temporary_directory("pictures")) + ("/" + name + ".webp");
    browser.save_picture(path);
    CHECK(std::filesystem::file_size(path) > 5000);
    CHECK(std::filesystem::file_size(path) < 150'000);
}

}  // namespace

TEST_CASE("the page shows a group at work, readable on wide and narrow screens, light and dark") {
    Pipeline pipeline;
    for (const char* table : {"orders", "customers", "items"})
        pipeline.on_both("CREATE TABLE " + std::string(table) + " (id int PRIMARY KEY, name text)");
    for (const char* table : {"orders", "customers", "items"})
        pipeline.on_source("INSERT INTO " + std::string(table) + " SELECT i, 'n' FROM generate_series(1, 3000) i");
    pipeline.start_replicator(copying());
    pipeline.start_worker(serving);
    const std::string url = served_at(pipeline.replicator());
    pipeline.settle();
    Writers writers(shared_postgres().connect(pipeline.source_db()), [](int i) {
        return "UPDATE public.orders SET name = 'n" + std::to_string(i) +
               "' WHERE id = " + std::to_string(i % 3000 + 1);
    });
    Browser browser;
    browser.open(url);
    browser.await("document.querySelectorAll('#flow .box').length === 5");
    browser.await(has("snapshot", "public.orders") + " && " + has("snapshot", "3,000 rows"));
    browser.await(has("tables", "public.orders") + " && " + has("workers", "postgres"));
    browser.await("document.querySelector('#flow .pipe.moves') !== null");
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(pictures() == nullptr ? 0 : 45);
    eventually(
        "there are lines to draw", [&] { return std::chrono::steady_clock::now() >= end; }, std::chrono::seconds(90));
    browser.await("document.querySelectorAll('#rate polyline').length >= 1 && " + has("rate", "worker postgres"));
    CHECK(text_of(browser, "group") == pipeline.group());
    CHECK(contains(text_of(browser, "process"), "replicator · pgsluice "));
    for (const Screen& screen :
         {Screen{1280, 900, false}, Screen{1280, 900, true}, Screen{400, 800, false}, Screen{400, 800, true}}) {
        browser.show_on(screen);
        INFO(screen.width, screen.dark ? " dark" : " light");
        browser.await("document.documentElement.scrollWidth <= innerWidth");
        const std::string ink = browser.value("getComputedStyle(document.body).color");
        CHECK(ink == (screen.dark ? "rgb(232, 235, 240)" : "rgb(22, 25, 31)"));
        take_picture(browser,
                     (screen.width == 400 ? "narrow-" : "wide-") + std::string(screen.dark ? "dark" : "light"));
    }
    browser.open(served_at(pipeline.worker()));
    browser.await(has("process", "worker · postgres") + " && " + has("tables", "rows of snapshots"));
    writers.stop();
    for (const std::string& complaint : browser.complaints()) CHECK_MESSAGE(false, complaint);
    pipeline.stop();
}

TEST_CASE("the page asks for nothing elsewhere, and no script or style but its own may run") {
    Pipeline pipeline;
    pipeline.start_replicator(copying());
    const std::string url = served_at(pipeline.replicator());
    Browser browser;
    browser.open(url);
    browser.await(has("workers", "worker"));
    check_clean(browser, url);
    browser.value("document.body.insertAdjacentHTML('beforeend', '<b id=evil onclick=\"window.hacked=1\">x</b>')");
    browser.value("document.getElementById('evil').click()");
    CHECK(browser.value("window.hacked") == "undefined");
    CHECK(browser.value("fetch('http://127.0.0.1:1/').then(() => 'sent', () => 'refused')") == "refused");
    CHECK(eventually("the policy is named", [&] {
        bool by_policy = false;
        for (const std::string& complaint : browser.complaints())
            by_policy = by_policy || contains(complaint, "Content Security Policy");
        return by_policy;
    }));
    pipeline.stop_replicator();
}

TEST_CASE("numbers on the page are those of PostgreSQL and JetStream, with a backlog, too") {
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE items (id int PRIMARY KEY)");
    pipeline.start_replicator(copying());
    pipeline.start_worker(serving);
    pipeline.settle();
    pipeline.stop_worker();
    pipeline.on_source("INSERT INTO items SELECT generate_series(1, 500)");
    const std::string url = served_at(pipeline.replicator());
    Browser browser;
    browser.open(url);
    const auto names = names_for(pipeline.group());
    const auto broker = connect_broker();
    const auto says = [&](const std::string& part, const std::function<std::string()>& expected) {
        std::string shown, wanted;
        const auto is_shown = [&] {
            wanted = expected();
            shown = browser.value("document.body.innerText");
            return contains(shown, wanted);
        };
        const bool same = eventually("the page says the " + part, is_shown, std::chrono::seconds(120));
        if (!same) MESSAGE(wanted << " in " << shown);
    };
    says("stream's messages",
         [&] { return std::to_string(broker->stream_state(names.stream)->messages) + " messages"; });
    const auto of_slot = [&](const std::string& column) {
        return pipeline.source_scalar("SELECT " + column + " FROM pg_replication_slots WHERE slot_name = '" +
                                      names.slot + "'");
    };
    says("slot's position", [&] { return "confirmed " + of_slot("confirmed_flush_lsn"); });
    says("slot's condition", [&] { return "WAL " + of_slot("wal_status"); });
    says("worker's backlog", [&] {
        const auto entry = pgsluice::WorkerRegistry(*broker, names).list().at(0);
        const auto behind = broker->stream_state(names.stream)->last_seq.value + 1 - entry.applied.resume_seq.value;
        return std::to_string(behind) + " messages behind";
    });
    says("worker's state", [] { return std::string("stopped"); });
    pipeline.start_worker();
    pipeline.settle();
    says("worker's state", [] { return std::string("nothing behind"); });
    pipeline.stop();
    says("end", [] { return std::string("This process does not answer"); });
}

TEST_CASE("hostile names of tables and texts of errors are only text") {
    const std::string evil = R"("<img src=x onerror=""window.hacked=1""><script>window.hacked=1//")";
    Pipeline pipeline;
    pipeline.on_source("CREATE TABLE " + evil + " (id int PRIMARY KEY); INSERT INTO " + evil + " VALUES (1)");
    pipeline.start_replicator(copying());
    pipeline.start_worker({"--http-listen", "127.0.0.1:0", "--worker-name", "postgres"});
    Browser browser;
    browser.open(served_at(pipeline.replicator()));
    const std::string part = "<img src=x onerror=";
    browser.await(has("snapshot", part));
    browser.await(has("findings", part));  // the target lacks the table, which stops the worker
    for (const char* made : {"img", "main script", "[onerror]"})
        CHECK(browser.value("document.querySelectorAll('" + std::string(made) + "').length") == "0");
    CHECK(browser.value("window.hacked") == "undefined");
    for (const std::string& complaint : browser.complaints()) CHECK_MESSAGE(false, complaint);
    pipeline.stop_replicator();
}

TEST_CASE("no value of a row can be read at any address, also not from an error") {
    const std::string canary = "canary-4711";
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE people (id int PRIMARY KEY, name text)");
    pipeline.on_target("ALTER TABLE people ADD CHECK (name NOT LIKE '%refused%')");
    pipeline.on_source("INSERT INTO people VALUES (1, '" + canary + "')");
    pipeline.start_replicator(copying());
    pipeline.start_worker(serving);
    pipeline.settle();
    pipeline.on_source("UPDATE people SET name = '" + canary + "-2'");
    pipeline.settle();
    const std::vector<std::string> urls{served_at(pipeline.replicator()), served_at(pipeline.worker())};
    const auto check_all = [&](const std::string& url) {
        for (const char* path : {"/", "/live", "/history", "/status", "/metrics", "/readyz", "/healthz", "/login",
                                 "/rows", "/live?group=people", "/history?group=people", "/assets/page.js"}) {
            INFO(url, path);
            CHECK_FALSE(contains(http_get(url, path).body, canary));
        }
    };
    for (const std::string& url : urls) check_all(url);
    pipeline.on_source("UPDATE people SET name = '" + canary + "-refused'");
    eventually("the error is shown",
               [&] { return contains(http_get(urls[0], "/live").body, "violates check constraint"); });
    check_all(urls[0]);
    pipeline.stop_replicator();
}

TEST_CASE("rows that pass are shown as the rules leave them, and never as they were unless both are asked for") {
    const std::string directory = temporary_directory("rules");
    std::ofstream(directory + "/rules.yaml")
        << "tables: {people: [{type: transform, column: email, parameters: {type: mask}}]}\n";
    Pipeline pipeline;
    pipeline.on_both("CREATE TABLE people (id int PRIMARY KEY, email text)");
    pipeline.start_replicator();
    int last = 0;
    const auto write = [&] {
        const std::string id = std::to_string(++last);
        pipeline.on_source("INSERT INTO people VALUES (" + id + ", 'canary" + id + "@example.com')");
    };
    for (const std::string& shows : {std::string("after"), std::string("both"), std::string("off")}) {
        CAPTURE(shows);
        pipeline.start_worker(
            {"--http-listen", "127.0.0.1:0", "--rules-config", directory + "/rules.yaml", "--http-show-rows", shows});
        const std::string url = served_at(pipeline.worker());
        Browser browser;
        browser.open(url);
        browser.await(has("workers", "postgres"));
        write();
        pipeline.settle();
        CHECK(http_get(url, "/live").body.find("canary") == std::string::npos);
        if (shows == "off") {
            CHECK(browser.value("document.getElementById('s-rows').hidden") == "true");
            CHECK(http_get(url, "/rows").body == "[]\n");
        } else {
            browser.await("document.getElementById('s-rows').hidden === false");
            browser.value("document.getElementById('rows-open').open = true");
            browser.await(has("rows", "the last of its changes"));
            write();
            browser.await(has("rows", "public.people") + " && " + has("rows", "**"));
            const std::string page = browser.value("document.documentElement.innerHTML");
            CHECK(contains(page, "canary") == (shows == "both"));
            CHECK(contains(http_get(url, "/rows").body, "canary") == (shows == "both"));
            CHECK(contains(page, "class=\"changed\"") == (shows == "both"));
        }
        for (const std::string& complaint : browser.complaints()) CHECK_MESSAGE(false, complaint);
        pipeline.stop_worker();
    }
    pipeline.stop_replicator();
}

TEST_CASE("with a token the page asks for it, a browser logs in and out, and no script sees the cookie") {
    const std::string token = "f00dfacef00dfacef00dface";
    const std::string file = temporary_directory("token") + "/token";
    std::ofstream(file) << token;
    Pipeline pipeline;
    pipeline.start_replicator({"--http-listen", "127.0.0.1:0", "--stream", "--http-token-file", file});
    const std::string url = served_at(pipeline.replicator());
    Browser browser;
    const auto log_in = [&](const std::string& text) {
        browser.await("document.getElementById('token') !== null");
        browser.value("document.getElementById('token').value = '" + text + "'");
        browser.value("document.querySelector('form').requestSubmit()");
    };
    browser.open(url);
    log_in("wrong");
    browser.await("location.hash === '#wrong' && document.getElementById('wrong').checkVisibility()");
    log_in(token);
    browser.await("location.pathname === '/' && document.querySelectorAll('#flow .box').length >= 3");
    CHECK(browser.value("document.cookie") == "");
    check_clean(browser, url);
    browser.value("document.querySelector('#logout button').click()");
    browser.await("location.pathname === '/login'");
    browser.open(url);
    browser.await("location.pathname === '/login'");
    pipeline.stop_replicator();
}
