#include "tests/support/pipeline.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <doctest/doctest.h>

#include "tests/support/postgres_programs.h"

namespace pgsluice::test {
namespace {

int groups = 0;

// The source's, unless PGSLUICE_TEST_TARGET_POSTGRES names the programs of another version.
PostgresServer& shared_target() {
    const char* programs = std::getenv("PGSLUICE_TEST_TARGET_POSTGRES");
    if (programs == nullptr) return shared_postgres();
    static PostgresServer server = [&] {
        const OtherPrograms other(programs);
        return PostgresServer();
    }();
    return server;
}

std::vector<std::string> joined(std::vector<std::string> first, std::vector<std::string> second) {
    first.insert(first.end(), std::make_move_iterator(second.begin()), std::make_move_iterator(second.end()));
    return first;
}

void stop_process(const std::string& name, std::optional<Process>& process, std::chrono::seconds limit) {
    if (!process) return;
    process->signal(SIGTERM);
    const int code = process->wait(limit);
    INFO(name << "'s messages:\n" << process->err());
    CHECK(code == 0);
    process.reset();
}

std::string sum_query(const std::string& table) {
    return "SELECT count(*) || ' rows, sum ' || coalesce(sum(hashtextextended(whole_row::text, 0)), 0) FROM " + table +
           " AS whole_row";
}

}  // namespace

std::string first_difference(const std::vector<std::string>& expected, const std::vector<std::string>& found) {
    for (std::size_t i = 0; i < std::max(expected.size(), found.size()); ++i) {
        const std::string here = i < expected.size() ? expected[i] : "(end)";
        const std::string there = i < found.size() ? found[i] : "(end)";
        if (here != there) return here.substr(0, 500) + "  and  " + there.substr(0, 500);
    }
    return "none";
}

void must_succeed(const Finished& finished) {
    CAPTURE(finished.err);
    CAPTURE(finished.out);
    CHECK(finished.code == 0);
}

bool says(Process& process, const std::string& part) {
    const bool said =
        eventually("it says '" + part + "'", [&] { return process.err().find(part) != std::string::npos; });
    if (!said) MESSAGE(process.err());
    return said;
}

PipelineServers shared_servers() { return {shared_postgres(), shared_target(), shared_nats()}; }

Pipeline::Pipeline(PipelineServers servers, const std::string& encoding, const std::string& target_encoding)
    : servers_(servers),
      group_("group_" + std::to_string(++groups)),
      source_db_(servers_.source.create_database(encoding)),
      target_db_(servers_.target.create_database(target_encoding)) {
    prepare();
    on_both("CREATE TABLE settled (mark int PRIMARY KEY)");
}

Pipeline::Pipeline(PipelineServers servers, Between databases)
    : servers_(servers),
      group_("group_" + std::to_string(++groups)),
      source_db_(std::move(databases.source_db)),
      target_db_(std::move(databases.target_db)),
      marks_(groups * 10000) {  // the other pipelines' marks may come by
    prepare();
}

void Pipeline::prepare() {
    if (servers_.nats.hardened()) servers_.nats.admit(group_);
}

void Pipeline::always(std::vector<std::string> replicator_more, std::vector<std::string> worker_more) {
    replicator_always_ = std::move(replicator_more);
    worker_always_ = std::move(worker_more);
}

std::vector<std::string> Pipeline::replicator_argv(std::vector<std::string> more) const {
    auto argv = joined({PGSLUICE_BINARY, "replicator", "--group", group_, "--source-url", source_url()},
                       nats_flags("replicator", ports_.replicator_to_nats));
    argv = joined(std::move(argv), replicator_always_);
    return joined(std::move(argv), std::move(more));
}

std::vector<std::string> Pipeline::worker_argv(const std::string& sink, std::vector<std::string> more) const {
    auto argv =
        joined({PGSLUICE_BINARY, "worker", sink, "--group", group_}, nats_flags("worker", ports_.workers_to_nats));
    argv = joined(std::move(argv), worker_always_);
    if (sink == "postgres") argv = joined(std::move(argv), {"--target-url", target_url()});
    return joined(std::move(argv), std::move(more));
}

std::vector<std::string> Pipeline::command_argv(const std::string& role, std::vector<std::string> words) const {
    auto argv = joined({PGSLUICE_BINARY}, std::move(words));
    return joined(joined(std::move(argv), {"--group", group_}), nats_flags(role, 0));
}

std::string Pipeline::source_url() const {
    const int port = ports_.replicator_to_source;
    if (!servers_.source.hardened()) return servers_.source.url(source_db_, port);
    return hardened_postgres_url("reader", port != 0 ? port : servers_.source.port(), source_db_);
}

std::string Pipeline::target_url() const {
    const int port = ports_.worker_to_target;
    if (!servers_.target.hardened()) return servers_.target.url(target_db_, port);
    return hardened_postgres_url("writer", port != 0 ? port : servers_.target.port(), target_db_);
}

std::vector<std::string> Pipeline::nats_flags(const std::string& role, int port) const {
    if (!servers_.nats.hardened()) return {"--nats-url", servers_.nats.url(port)};
    return hardened_nats_flags(role, port != 0 ? port : servers_.nats.port());
}

void Pipeline::start_replicator(std::vector<std::string> more, std::map<std::string, std::string> environment) {
    replicator_.emplace(
        ProcessOptions{.argv = replicator_argv(std::move(more)), .environment = std::move(environment)});
}

void Pipeline::start_worker(std::vector<std::string> more, std::map<std::string, std::string> environment) {
    worker_.emplace(
        ProcessOptions{.argv = worker_argv("postgres", std::move(more)), .environment = std::move(environment)});
}

void Pipeline::start(std::vector<std::string> replicator_more) {
    start_replicator(std::move(replicator_more));
    start_worker();
}

void Pipeline::stop_replicator(std::chrono::seconds limit) { stop_process("the replicator", replicator_, limit); }
void Pipeline::stop_worker(std::chrono::seconds limit) { stop_process("the worker", worker_, limit); }

void Pipeline::stop() {
    stop_replicator();
    stop_worker();
}

void Pipeline::must_die(Process& process) {
    const int code = process.wait(std::chrono::seconds(60));
    INFO("its messages:\n" << process.err());
    REQUIRE(code == 128 + SIGKILL);
}

void Pipeline::on_both(const std::string& statements) {
    on_source(statements);
    on_target(statements);
}

void Pipeline::on_source(const std::string& statements) {
    servers_.source.sql(source_db_, statements);
    if (servers_.source.hardened()) servers_.source.sql(source_db_, hand_over(source_db_));
}
void Pipeline::on_target(const std::string& statements) {
    servers_.target.sql(target_db_, statements);
    if (servers_.target.hardened()) servers_.target.sql(target_db_, hand_over(target_db_));
}
std::string Pipeline::source_scalar(const std::string& query) { return servers_.source.scalar(source_db_, query); }
std::string Pipeline::target_scalar(const std::string& query) { return servers_.target.scalar(target_db_, query); }

void Pipeline::must_run(const std::string& name, std::optional<Process>& process) {
    if (!process || process->running()) return;
    for (const std::optional<Process>* other : {&replicator_, &worker_})
        if (*other && other != &process) MESSAGE("the other's messages:\n" << (*other)->err());
    FAIL(name << " ended with code " << process->wait() << "; its messages:\n" << process->err());
}

void Pipeline::await_stream() {
    eventually("the replicator streams", [&] {
        must_run("the replicator", replicator_);
        return streams();
    });
}

bool Pipeline::streams() {
    return source_scalar(
               "SELECT count(*) FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid WHERE "
               "r.state = 'streaming' AND s.slot_name = 'pgsluice_" +
               group_ + "'") == "1";
}

void Pipeline::settle(std::chrono::seconds limit, const std::function<void()>& meanwhile) {
    const std::string mark = std::to_string(++marks_);
    // The mark alone may come with a copy that has not ended: the worker's position must have passed this point, too.
    const std::string before = source_scalar("SELECT pg_current_wal_insert_lsn()");
    on_source("INSERT INTO settled VALUES (" + mark + ")");
    const bool arrived = eventually(
        "everything has reached the target",
        [&] {
            must_run("the replicator", replicator_);
            must_run("the worker", worker_);
            if (meanwhile) meanwhile();
            return target_scalar("SELECT count(*) FROM settled WHERE mark = " + mark) == "1" &&
                   target_scalar("SELECT loading_epoch = 0 AND position_lsn >= '" + before +
                                 "' FROM pgsluice.progress WHERE \"group\" = '" + group_ + "'") == "t";
        },
        limit);
    if (arrived) return;
    const std::string position = target_scalar("SELECT (resume_seq, position_lsn) FROM pgsluice.progress");
    FAIL("waited for " << before << ", the target is at " << position << "\nthe replicator's messages:\n"
                       << (replicator_ ? replicator_->err() : "") << "\nthe worker's messages:\n"
                       << (worker_ ? worker_->err() : ""));
}

std::vector<std::string> Pipeline::source_rows(const std::string& table) {
    return servers_.source.rows(
        source_db_, "SELECT whole_row::text FROM " + table + " AS whole_row ORDER BY whole_row::text COLLATE \"C\"");
}

std::vector<std::string> Pipeline::target_rows(const std::string& table) {
    return servers_.target.rows(
        target_db_, "SELECT whole_row::text FROM " + table + " AS whole_row ORDER BY whole_row::text COLLATE \"C\"");
}

std::string Pipeline::source_sum(const std::string& table) { return source_scalar(sum_query(table)); }
std::string Pipeline::target_sum(const std::string& table) { return target_scalar(sum_query(table)); }

void Pipeline::check_equal(const std::vector<std::string>& tables) {
    settle();
    for (const auto& table : tables) {
        CAPTURE(table);
        const auto expected = source_rows(table);
        const auto found = target_rows(table);
        INFO("rows: " << expected.size() << " and " << found.size()
                      << "; first difference: " << first_difference(expected, found));
        INFO("the replicator's messages:\n" << (replicator_ ? replicator_->err() : ""));
        INFO("the worker's messages:\n" << (worker_ ? worker_->err() : ""));
        CHECK((expected == found));
    }
}

}  // namespace pgsluice::test
