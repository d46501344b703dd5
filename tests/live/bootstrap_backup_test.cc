// A group that begins with a backup of the source, taken and restored by the printed commands while writers run: it
// holds exactly what was committed before the LSN that they name, and the stream has all the rest.
#include <algorithm>
#include <filesystem>

#include "tests/live/bootstrap_fixture.h"
#include "tests/support/hint.h"

using namespace pgsluice::test;

namespace fs = std::filesystem;

namespace {

std::string replaced(std::string text, const std::string& what, const std::string& with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
    return text;
}

std::string sum_of(const std::string& table) {
    return "SELECT count(*) || ' rows, sum ' || coalesce(sum(hashtextextended(whole_row::text, 0)), 0) FROM public." +
           table + " AS whole_row";
}

// Between a server of its own, which archives its log, and one that is restored from its backup.
struct Restored {
    std::string archive = temporary_directory("archive");
    std::string backup = temporary_directory("backup") + "/data";
    PostgresServer source;
    Bootstrap group;
    std::unique_ptr<PostgresServer> target;

    Restored()
        : source({.settings = {{"archive_mode", "on"}, {"archive_command", "cp %p " + archive + "/%f"}}}),
          group(PipelineServers{source, shared_servers().target, shared_servers().nats}) {
        fs::permissions(archive, fs::perms::all);
    }
    void archive_all() {
        const std::string last = source.scalar("postgres", "SELECT pg_walfile_name(pg_switch_wal())");
        CHECK(eventually("the log is archived", [&] { return fs::exists(archive + "/" + last); }));
    }
    Finished in_shell(const std::string& commands) {
        return group.in_shell(replaced(replaced(commands, "DIRECTORY", backup), "ARCHIVE", archive));
    }
    void recover() {
        target = PostgresServer::over(backup);
        CHECK(eventually("it is promoted",
                         [&] { return target->scalar("postgres", "SELECT pg_is_in_recovery()") == "f"; }));
    }
    // Of a snapshot of the source that is held.
    void check_holds(const std::string& snapshot) {
        for (const std::string& table : group.tables) {
            CAPTURE(table);
            pgsluice::sql::Connection reader(source.connect(group.source_db()));
            reader.exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '" + snapshot + "'");
            CHECK(sum_on_target(table) == reader.exec(sum_of(table)).text(0, 0));
        }
    }
    std::string sum_on_target(const std::string& table) { return target->scalar(group.source_db(), sum_of(table)); }
    // What is written meanwhile comes once, also into tables without a key.
    void follow() {
        auto argv = group.worker_argv("postgres", {});
        *(std::ranges::find(argv, "--target-url") + 1) = target->url(group.source_db());
        Process worker({.argv = argv});
        group.writers->await(50);
        group.writers->stop();
        for (const std::string& table : group.tables) {
            CAPTURE(table);
            const std::string sum = source.scalar(group.source_db(), sum_of(table));
            CHECK(eventually("the target has all", [&] { return sum_on_target(table) == sum; }));
        }
        worker.signal(SIGTERM);
        CHECK(worker.wait() == 0);
        group.stop_replicator();
    }
};

}  // namespace

TEST_CASE("bootstrap: a backup that was taken before, restored by the printed command up to the slot's point") {
    Restored both;
    Bootstrap& group = both.group;
    must_succeed(run({postgres_programs() + "pg_basebackup", "--checkpoint=fast", "--pgdata=" + both.backup,
                      "--dbname=" + both.source.url("postgres")}));
    group.writers->await(50);
    group.prepare();
    group.writers->await(50);
    both.archive_all();
    must_succeed(both.in_shell(group.printed("printf")));
    both.recover();
    const std::string dump = group.printed();
    const auto at = dump.find("--snapshot=") + std::string("--snapshot=").size();
    both.check_holds(dump.substr(at, dump.find(' ', at) - at));
    must_succeed(group.step("complete"));
    both.follow();
}

TEST_CASE("bootstrap: a backup that is taken after it was prepared, by the printed commands") {
    Restored both;
    Bootstrap& group = both.group;
    group.prepare();
    group.writers->await(50);
    const std::string out = group.replicator().out();
    const auto begin = out.find("\n  pg_basebackup ");
    const auto last = out.find("\n  pgsluice replicator ", begin);
    REQUIRE(last != std::string::npos);
    const Finished taken = both.in_shell(out.substr(begin, last - begin) + "; echo $LSN");
    must_succeed(taken);
    const std::string lsn = taken.out.substr(0, taken.out.find('\n'));
    group.writers->await(50);
    both.recover();
    const auto complete_at = [&](const std::string& where) {
        auto argv = group.step_argv("complete");
        argv.insert(argv.end(), {"--bootstrap-lsn", where});
        return argv;
    };
    CHECK(contains(refusal(complete_at("0/1"), "Restore it up to 0/"), " or later."));
    refusal(complete_at("FFFF/0"), "If the replicator runs, run this again once it has read that far.");
    must_succeed(run_said(group, replaced(out.substr(last + 3, out.find('\n', last + 3) - last - 3), "$LSN", lsn)));
    both.follow();
}
