// In trouble, status, /status and /metrics show what PostgreSQL's views and JetStream's info show, or showed a few
// seconds ago.
#include <doctest/doctest.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>

#include "sql/error.h"
#include "tests/support/http_get.h"
#include "tests/support/pipeline.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Figures = std::map<std::string, double>;

// The slot monitor's rhythm, the report's and the endpoint's, and a slow machine.
constexpr std::chrono::seconds shown_within(20);

std::vector<std::string> serving(std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--copy-and-stream", "--http-listen", "127.0.0.1:0"});
    return more;
}

// LSNs as numbers, so that figures can be compared.
double lsn_number(std::string_view text) {
    const auto lsn = parse_lsn(text);
    return lsn ? static_cast<double>(lsn->value) : -1;
}

double number(const simdjson::dom::element& value) {
    double found = -1;
    if (value.is<double>() || value.is<std::int64_t>() || value.is<std::uint64_t>()) found = double(value);
    if (value.is<bool>()) found = bool(value) ? 1 : 0;
    return found;
}

struct Watched : Pipeline {
    explicit Watched(PipelineServers of = shared_servers()) : Pipeline(of), servers(of) {
        on_both("CREATE TABLE t (id int PRIMARY KEY, pad text); ALTER TABLE t ALTER pad SET STORAGE EXTERNAL");
    }

    void insert(int rows) {
        on_source(
            "INSERT INTO t SELECT coalesce((SELECT max(id) FROM t), 0) + i, repeat('x', 500) FROM "
            "generate_series(1, " +
            std::to_string(rows) + ") i");
    }
    [[nodiscard]] std::string slot() const { return "pgsluice_" + group(); }

    // What the servers themselves say.
    Figures truth() {
        Figures found;
        const auto state = broker->stream_state(names_for(group()).stream);
        REQUIRE(state);
        found["messages"] = static_cast<double>(state->messages);
        found["bytes"] = static_cast<double>(state->bytes);
        found["first_message"] = static_cast<double>(state->first_seq.value);
        found["last_message"] = static_cast<double>(state->last_seq.value);
        const auto rows = servers.source.rows(
            source_db(),
            "SELECT confirmed_flush_lsn, coalesce(restart_lsn, '0/0'), pg_current_wal_lsn(), "
            "coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0), coalesce(safe_wal_size, -1), "
            "(active_pid IS NOT NULL)::int, array_position(ARRAY['reserved', 'extended', 'unreserved', 'lost'], "
            "wal_status) FROM pg_replication_slots WHERE slot_name = '" +
                slot() + "'");
        REQUIRE(rows.size() == 1);
        const std::vector<std::string> cells = split(rows.front());
        found["confirmed"] = lsn_number(cells[0]);
        found["restart"] = lsn_number(cells[1]);
        found["wal_end"] = lsn_number(cells[2]);
        found["held_bytes"] = std::stod(cells[3]);
        found["safe_bytes"] = std::stod(cells[4]);
        found["active"] = std::stod(cells[5]);
        found["wal_status"] = std::stod(cells[6]);
        return found;
    }

    static std::vector<std::string> split(const std::string& row) {
        std::vector<std::string> cells{""};
        for (const char c : row) {
            if (c == '|')
                cells.emplace_back();
            else
                cells.back() += c;
        }
        return cells;
    }

    static Figures of_json(const std::string& text) {
        simdjson::dom::parser parser;
        simdjson::dom::element root;
        Figures found;
        if (parser.parse(text).get(root) != simdjson::SUCCESS) return found;
        for (const char* name : {"messages", "bytes", "first_message", "last_message"})
            found[name] = number(root["stream"][name]);
        simdjson::dom::element slot;
        if (root["slot"].get(slot) != simdjson::SUCCESS || slot.is_null()) return found;
        for (const char* name : {"held_bytes", "safe_bytes", "active"}) found[name] = number(slot[name]);
        for (const char* name : {"confirmed", "restart", "wal_end"})
            found[name] = slot[name].is_null() ? 0 : lsn_number(std::string_view(slot[name]));
        const std::string_view status = slot["wal_status"].is_null() ? "" : std::string_view(slot["wal_status"]);
        double place = 0;
        for (const char* each : {"reserved", "extended", "unreserved", "lost"}) {
            ++place;
            if (status == each) found["wal_status"] = place;
        }
        return found;
    }

    static Figures of_metrics(const std::string& url) {
        const Scrape scrape(url);
        Figures found;
        const auto take = [&](const char* name, const char* series) {
            if (const auto value = scrape.value(series)) found[name] = *value;
        };
        take("messages", "pgsluice_stream_messages");
        take("bytes", "pgsluice_stream_bytes");
        take("held_bytes", "pgsluice_slot_retained_bytes");
        take("safe_bytes", "pgsluice_slot_safe_bytes");
        take("active", "pgsluice_slot_active");
        take("wal_end", "pgsluice_position_bytes{stage=\"source\"}");
        double place = 0;
        for (const char* status : {"reserved", "extended", "unreserved", "lost"}) {
            ++place;
            if (scrape.value(std::string("pgsluice_slot_wal_status{status=\"") + status + "\"}") == 1)
                found["wal_status"] = place;
        }
        return found;
    }

    // Waits until each figure lies between what the servers have said in the last seconds: what is shown may be that
    // old, and the log moves on for ever where the worker notes in the same server that it has.
    void agree(const std::string& where, std::size_t least, const std::function<Figures()>& shown) {
        std::string difference;
        const bool did = eventually(where + " agrees with the servers", [&] {
            look();
            const Figures seen = shown();
            look();
            difference = seen.size() < least ? "only " + std::to_string(seen.size()) + " figures" : "";
            for (const auto& [name, value] : seen) {
                const auto [low, high] = lately(name);
                if (value < low || value > high)
                    difference += name + ": " + std::to_string(value) + ", not " + std::to_string(low) + " to " +
                                  std::to_string(high) + "; ";
            }
            return difference.empty();
        });
        if (!did) MESSAGE(difference);
    }
    void look() {
        const auto now = std::chrono::steady_clock::now();
        truths.emplace_back(now, truth());
        while (truths.front().first < now - shown_within) truths.pop_front();
    }
    std::pair<double, double> lately(const std::string& name) const {
        const auto by_name = [&](const auto& a, const auto& b) { return a.second.at(name) < b.second.at(name); };
        const auto [low, high] = std::minmax_element(truths.begin(), truths.end(), by_name);
        return {low->second.at(name), high->second.at(name)};
    }

    [[nodiscard]] Finished status(std::vector<std::string> more = {}) const {
        std::vector<std::string> words{"status"};
        words.insert(words.end(), more.begin(), more.end());
        return run(command_argv("viewer", words));
    }
    [[nodiscard]] std::vector<std::string> at_source(std::vector<std::string> more = {}) const {
        more.insert(more.end(), {"--source-url", source_url()});
        return more;
    }

    // status, with and without the source, /status and /metrics of those that serve.
    void all_agree(const std::vector<std::string>& urls) {
        agree("status --source-url", 11, [&] { return of_json(status(at_source({"--json"})).out); });
        agree("status", 11, [&] { return of_json(status({"--json"}).out); });
        for (const std::string& url : urls) {
            agree(url + "/status", 11, [&] { return of_json(http_get(url, "/status").body); });
            agree(url + "/metrics", 2, [&] { return of_metrics(url); });
        }
    }

    // A status, with the source, that says so and exits with this code.
    std::string shows(int code, const std::string& part, const std::vector<std::string>& more = {}) {
        Finished last;
        const bool shown = eventually("status says '" + part + "' and exits with " + std::to_string(code), [&] {
            last = status(more);
            return last.code == code && contains(last.out, part);
        });
        if (!shown) MESSAGE("exit code " << last.code << ", " << last.out << last.err);
        return last.out;
    }

    PipelineServers servers;
    std::unique_ptr<Broker> broker = connect_broker(servers.nats.url());
    std::deque<std::pair<std::chrono::steady_clock::time_point, Figures>> truths;
};

// As the worker's entry and the stream say.
double messages_left(Watched& group) {
    simdjson::dom::parser parser;
    const Finished status = group.status({"--json"});
    const simdjson::dom::element root = parser.parse(status.out);
    const auto worker = root["workers"].at(0);
    const std::string entry = group.broker->kv_get(names_for(group.group()), "worker.postgres")->text;
    simdjson::dom::parser second;
    const simdjson::dom::element kept = second.parse(entry);
    const double next = number(kept["applied"]["resume_seq"]);
    CHECK(number(worker["behind_messages"]) == number(root["stream"]["last_message"]) + 1 - next);
    return number(worker["behind_messages"]);
}

void becomes(const std::string& url, const std::string& series, const std::function<bool(double)>& right) {
    std::string last;
    const bool did = eventually(series + " is right", [&] {
        const Scrape scrape(url);
        last = scrape.text();
        const auto value = scrape.value(series);
        return value && right(*value);
    });
    if (!did) MESSAGE(last);
}

void waits_long(const std::string& replicator) {
    becomes(replicator, "pgsluice_waiting_seconds{for=\"stream\"}", [](double value) { return value >= 10; });
    becomes(replicator, "pgsluice_long_wait", [](double value) { return value == 1; });
}

}  // namespace

TEST_CASE("figures: a backlog, and a worker that is stopped, then killed") {
    Watched group;
    group.start_replicator(serving());
    group.start_worker({"--http-listen", "127.0.0.1:0"});
    group.settle();
    const std::string source = served_at(group.replicator());
    const std::string target = served_at(group.worker());
    sql::Connection blocker(shared_postgres().connect(group.target_db()));
    blocker.exec("BEGIN; LOCK TABLE public.t");
    group.insert(2000);
    group.shows(1, "waiting for the target at", {"--warn-behind", "1s"});
    group.all_agree({source, target});
    const double left = messages_left(group);
    CHECK(left > 0);
    becomes(source, "pgsluice_worker_lag_messages{worker=\"postgres\",stage=\"applied\"}",
            [&](double value) { return value >= left; });
    becomes(target, "pgsluice_lag_messages{stage=\"applied\"}", [&](double value) { return value >= left; });
    blocker.exec("COMMIT");
    group.settle();
    group.shows(0, "nothing behind");

    group.stop_worker();
    group.insert(1000);
    group.shows(1, "warn: worker 'postgres': it is not running", group.at_source());
    group.all_agree({source});
    CHECK(messages_left(group) > 0);
    group.start_worker();
    group.settle();
    group.kill_worker();
    group.insert(1000);
    group.shows(2, "fail: worker 'postgres': it has not reported for", group.at_source({"--dead-after", "1s"}));
    group.all_agree({source});
    group.start_worker();
    group.settle();
    group.shows(0, ": ok\n");
    group.all_agree({source});
    group.stop();
}

TEST_CASE("figures: a full stream, while it follows the log") {
    Watched group;
    group.start_replicator(serving({"--stream-max-bytes", "2MB"}));
    group.start_worker();
    group.settle();
    const std::string source = served_at(group.replicator());
    group.stop_worker();
    for (int i = 0; i < 12; ++i) group.insert(500);
    const std::string text = group.shows(1, "replicator   waiting for a full stream", group.at_source());
    CHECK(contains(text, "warn: replicator: it waits for room in the stream"));
    CHECK(contains(text, "warn: stream: "));
    becomes(source, "pgsluice_stream_full", [](double value) { return value == 1; });
    group.all_agree({source});
    CHECK(Scrape(source).value("pgsluice_stream_max_bytes") == 2 << 20);
    // The slot is as far behind as the source's clock says, though the walsender has measured nothing since.
    group.shows(1, "warn: slot: it is ", group.at_source({"--warn-behind", "3s"}));
    group.shows(1, "warn: slot: it is ", {"--warn-behind", "3s"});
    group.shows(2, "fail: slot: it is ", {"--warn-behind", "3s", "--fail-behind", "5s"});
    waits_long(source);
    group.start_worker();
    group.settle();
    group.shows(0, ": ok\n", group.at_source());
    becomes(source, "pgsluice_stream_full", [](double value) { return value == 0; });
    becomes(source, "pgsluice_long_wait", [](double value) { return value == 0; });
    CHECK(Scrape(source).value("pgsluice_waiting_seconds{for=\"stream\"}") < 10);
    group.all_agree({source});
    group.check_equal({"t"});
    group.stop();
}

TEST_CASE("figures: a full stream, while it copies") {
    Watched group;
    group.insert(20000);
    group.start_replicator(serving({"--stream-max-bytes", "2MB"}));
    const std::string source = served_at(group.replicator());
    const std::string text = group.shows(1, "replicator   waiting for a full stream", group.at_source());
    CHECK(contains(text, "warn: replicator: it waits for room in the stream"));
    CHECK(contains(text, "warn: workers: none is registered"));
    CHECK_FALSE(contains(text, "no replicator reads it"));
    becomes(source, "pgsluice_stream_full", [](double value) { return value == 1; });
    eventually(
        "/readyz says what it waits for",
        [&] { return contains(http_get(source, "/readyz").body, "the stream is full"); }, std::chrono::seconds(60));
    waits_long(source);
    group.all_agree({source});
    group.start_worker();
    group.settle();
    group.shows(0, ": ok\n", group.at_source());
    becomes(source, "pgsluice_stream_full", [](double value) { return value == 0; });
    becomes(source, "pgsluice_long_wait", [](double value) { return value == 0; });
    CHECK(Scrape(source).value("pgsluice_waiting_seconds{for=\"stream\"}") < 10);
    group.check_equal({"t"});
    group.stop();
}

TEST_CASE("figures: a slot that is lost") {
    PostgresServer server({.settings = {{"max_slot_wal_keep_size", "32MB"}, {"checkpoint_timeout", "1h"}}});
    Watched group({server, shared_postgres(), shared_nats()});
    group.start_replicator(serving({"--stream-max-bytes", "2MB"}));
    group.start_worker();
    group.settle();
    const std::string source = served_at(group.replicator());
    group.stop_worker();
    for (int i = 0; i < 12; ++i) group.insert(500);
    group.shows(1, "waiting for a full stream");
    group.on_source("SELECT pg_switch_wal()");
    group.insert(100);
    becomes(source, "pgsluice_slot_safe_bytes", [](double value) { return value > 0 && value < 32 << 20; });
    group.all_agree({source});
    for (int i = 0; i < 3; ++i)
        group.on_source("INSERT INTO settled VALUES (-1 - " + std::to_string(i) + "); SELECT pg_switch_wal()");
    // No checkpoint has removed anything yet.
    const std::string about = group.shows(2, "fail: slot: it is about to be lost", group.at_source());
    group.shows(2, "fail: slot: it is about to be lost");
    becomes(source, "pgsluice_slot_wal_status{status=\"unreserved\"}", [](double value) { return value == 1; });
    group.all_agree({source});
    group.on_source("CHECKPOINT");
    const std::string lost = group.shows(2, "fail: slot: it is invalidated", group.at_source());
    CHECK(contains(lost, "invalidated, it cannot be read any more"));
    CHECK(group.replicator().wait(std::chrono::seconds(60)) == 1);
    CHECK(contains(group.replicator().err(), "the source invalidated slot '" + group.slot() + "'"));
    group.shows(2, "fail: replicator: stopped: unable to continue with group", group.at_source());
    // Without the source, too: the replicator saw it last.
    const std::string far = group.shows(2, "fail: slot: it is invalidated");
    CHECK(contains(far, "replicator   stopped by: unable to continue with group"));
    group.agree("status --source-url", 10,
                [&] { return Watched::of_json(group.status(group.at_source({"--json"})).out); });
    // The way out that the replicator's last message names.
    group.start_replicator({"--copy-and-stream", "--resnapshot", "--stream-max-bytes", "0"});
    group.await_stream();
    group.start_worker({"--target-existing-rows", "truncate"});
    group.settle();
    group.shows(0, ": ok\n", group.at_source());
    group.check_equal({"t"});
    group.stop();
}

namespace {

// A replicator before a full stream whose slot the next checkpoint invalidates.
struct Endangered : Watched {
    explicit Endangered(PostgresServer& server) : Watched({server, shared_postgres(), shared_nats()}) {
        start_replicator(serving({"--stream-max-bytes", "3MB"}));
        await_stream();
        for (int i = 0; i < 40; ++i) insert(2000);
        eventually("no more fits into the sockets", [&] {
            return source_scalar(
                       "SELECT count(*) FROM pg_stat_activity a JOIN pg_replication_slots ON active_pid = pid "
                       "WHERE a.wait_event = 'WalSenderWriteData'") == "1";
        });
        for (int i = 0; i < 5; ++i)
            on_source("INSERT INTO t VALUES (-1 - " + std::to_string(i) + "); SELECT pg_switch_wal()");
    }
};

const std::string lets_go = "about to invalidate the slot: closing the replication connection";
const PostgresOptions limited{.settings = {{"max_slot_wal_keep_size", "64MB"}, {"checkpoint_timeout", "1h"}}};

}  // namespace

TEST_CASE("figures: a slot that was lost while no replicator ran, after one has started and ended over it") {
    PostgresServer server(limited);
    Watched group({server, shared_postgres(), shared_nats()});
    group.start_replicator();
    group.start_worker({"--http-listen", "127.0.0.1:0", "--target-existing-rows", "truncate"});
    group.settle();
    const std::string target = served_at(group.worker());
    becomes(target, "pgsluice_slot_lost", [](double value) { return value == 0; });
    group.stop_replicator();
    for (int i = 0; i < 6; ++i)
        group.on_source("INSERT INTO t VALUES (" + std::to_string(i) + "); SELECT pg_switch_wal()");
    group.on_source("CHECKPOINT");
    group.start_replicator();
    CHECK(group.replicator().wait(std::chrono::seconds(60)) == 1);
    becomes(target, "pgsluice_slot_lost", [](double value) { return value == 1; });
    const std::string text = group.shows(2, "fail: slot: it is invalidated");
    CHECK(contains(text, "replicator   stopped by: unable to continue with group"));
    group.start_replicator({"--copy-and-stream", "--resnapshot"});
    group.await_stream();
    becomes(target, "pgsluice_slot_lost", [](double value) { return value == 0; });
    group.stop_replicator();
    group.kill_worker();
}

TEST_CASE("a full stream keeps no checkpoint of the source from ending: the slot is lost, as its limit says") {
    PostgresServer server(limited);
    Endangered group(server);
    sql::Connection checkpoint(server.connect(group.source_db()));
    checkpoint.exec("SET statement_timeout = '300s'");
    checkpoint.exec("CHECKPOINT");
    CHECK(group.replicator().wait(std::chrono::seconds(60)) == 1);
    CHECK(contains(group.replicator().err(), lets_go));
    CHECK(contains(group.replicator().err(), "the source invalidated slot '" + group.slot() + "'"));
}

TEST_CASE("a slot that was let go before a full stream is read on when there is room, if it is still there") {
    PostgresServer server(limited);
    Endangered group(server);
    says(group.replicator(), lets_go);
    eventually("the slot is free",
               [&] { return group.source_scalar("SELECT active FROM pg_replication_slots") == "f"; });
    group.start_worker();
    group.check_equal({"t"});
    group.shows(0, ": ok\n", group.at_source());
    group.stop();
}

TEST_CASE("figures: a slot that was dropped, of a replicator that looks at it now and then") {
    Watched group;
    group.start();
    group.settle();
    group.shows(0, ": ok\n");
    const std::string end =
        "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '" + group.slot() + "'";
    eventually("it is dropped", [&] {
        try {
            group.on_source(end);
            group.on_source("SELECT pg_drop_replication_slot('" + group.slot() + "')");
            return true;
        } catch (const Error&) {
            return false;
        }
    });
    CHECK(group.replicator().wait() == 1);
    const std::string text = group.shows(2, "fail: replicator: stopped: unable to continue with group");
    CHECK(contains(text, "fail: slot: '" + group.slot() + "' does not exist"));
    group.stop_worker();
}
