// pgsluice cutover while tables join the group, or are copied again: the application does not move before the target
// has their rows, whatever is compared, and none that has joined is left out.
#include <doctest/doctest.h>

#include <algorithm>

#include "sql/connection.h"
#include "sql/error.h"
#include "stream/group/compare_keys.h"
#include "stream/group/table_record.h"
#include "tests/live/cutover_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/stream_group.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;

const Texts flags{"--copy-and-stream", "--all-schemas", "--track-ddl"};

struct Group : Pipeline {
    Group() {
        on_both("CREATE TABLE big (id int PRIMARY KEY)");
        on_source("INSERT INTO big SELECT generate_series(1, 100)");
        start(flags);
        settle();
        await_streaming_worker(*this);
    }
    sql::Connection open_transaction() {
        sql::Connection open(shared_servers().source.connect(source_db()));
        open.exec("BEGIN; INSERT INTO public.settled VALUES (-1)");
        return open;
    }
    void copy_again() { must_succeed(run_said(*this, "pgsluice resnapshot --tables big")); }
    void await_record(const std::string& table, TableState state, Lsn from = {}) {
        eventually("the record has table " + table, [&] {
            const auto record = find_table_records(*broker, names_for(group())).value();
            return std::ranges::any_of(record, [&](const auto& each) {
                const TableRecord& entry = each.second;
                return entry.name.table == table && entry.state == state && entry.lsn >= from;
            });
        });
    }
    // The SQLSTATE of what the source answers.
    std::string try_source(const std::string& statement) {
        sql::Connection source(shared_servers().source.connect(source_db()));
        try {
            source.exec(statement);
        } catch (const SqlError& error) {
            return error.sqlstate();
        }
        return "00000";
    }
    // Begins one that waits, with writes stopped, for the worker to reach an LSN that no replicator brings.
    Lsn stop_at_lsn(Process& cutover, sql::Connection& open) {
        eventually("writes are being stopped", [&] { return contains(cutover.out(), "stopping writes"); });
        stop_replicator();
        open.exec("COMMIT");
        Lsn lsn;
        eventually("the cutover has its LSN", [&] {
            const auto request = CompareKeys(*broker, names_for(group()), "postgres").request();
            return request && (lsn = request->lsn) != Lsn{};
        });
        return lsn;
    }

    std::unique_ptr<Broker> broker = connect_broker();
};

// Half of what the target has of `big` is gone, until it is copied again.
struct Spoilt : Group {
    Spoilt() { on_target("DELETE FROM big WHERE id > 50"); }
};

Texts without_comparing(const Pipeline& pipeline) {
    return cutover_argv(pipeline, {"--yes", "--compare", "none", "--max-write-stop", "90s"});
}

}  // namespace

TEST_CASE("an application does not move while a table of the group is still to be copied") {
    Spoilt group;
    sql::Connection open = group.open_transaction();
    Process cutover({.argv = without_comparing(group)});
    group.stop_at_lsn(cutover, open);
    group.copy_again();
    group.start_replicator(flags, {{"PGSLUICE_FAILPOINT", "before-added-copy"}});
    Pipeline::must_die(group.replicator());
    CHECK(says(cutover, "trying again to reach one LSN: the rows of public.big were being copied"));
    group.start_replicator(flags);
    CHECK(cutover.wait(std::chrono::seconds(60)) == 0);
    CHECK(group.target_sum("big") == group.source_sum("big"));
    group.stop();
}

TEST_CASE("an application does not move to rows that the target gets as of a later LSN") {
    Spoilt group;
    sql::Connection open = group.open_transaction();
    Process cutover({.argv = cutover_argv(group, {"--yes", "--compare", "after", "--compare-tables", "settled",
                                                  "--max-write-stop", "90s"})});
    const Lsn lsn = group.stop_at_lsn(cutover, open);
    sql::Connection locker(shared_servers().target.connect(group.target_db()));
    locker.exec("BEGIN; LOCK TABLE public.settled IN EXCLUSIVE MODE");
    group.copy_again();
    group.start_replicator(flags);
    group.await_record("big", TableState::copied, lsn);
    locker.exec("ROLLBACK");
    CHECK(says(cutover, "trying again to reach one LSN: the rows of public.big were being copied"));
    CHECK(cutover.wait(std::chrono::seconds(60)) == 0);
    CHECK(group.target_sum("big") == group.source_sum("big"));
    group.stop();
}

TEST_CASE("cutover: a table that is still to be copied") {
    Spoilt group;
    sql::Connection open = group.open_transaction();
    group.copy_again();
    group.await_record("big", TableState::copy_due);
    const std::string hint = refusal(cutover_argv(group, {}), "Run it again once pgsluice tables shows no table as");
    CHECK(contains(run_said(group, said(hint, "pgsluice tables", " shows")).out, "copy-due"));
    open.exec("COMMIT");
    eventually("the group is ready", [&] { return cut_over(group, {}).code == 0; });
    group.stop();
}

TEST_CASE("tables that join the group while cutover compares move, too") {
    Group group;
    sql::Connection open = group.open_transaction();
    Process cutover({.argv = cutover_argv(group)});
    CHECK(says(cutover, "waiting for open transactions of the source that have written"));
    group.on_source(
        "CREATE SCHEMA promo; CREATE TABLE promo.coupons (id serial PRIMARY KEY);"
        "INSERT INTO promo.coupons SELECT nextval('promo.coupons_id_seq') FROM generate_series(1, 5000)");
    group.await_record("coupons", TableState::copy_due);
    open.exec("COMMIT");
    CHECK(cutover.wait(std::chrono::seconds(90)) == 0);
    INFO(cutover.err());
    CHECK(contains(cutover.out(), "promo.coupons: equal, 5000 rows"));
    CHECK(group.try_source("INSERT INTO promo.coupons DEFAULT VALUES") == "25006");
    group.on_target("INSERT INTO promo.coupons DEFAULT VALUES");
    group.stop();
}

TEST_CASE("a table that joins the group once writes are stopped takes a cutover back, and another run moves it") {
    Group group;
    sql::Connection open = group.open_transaction();
    Process cutover({.argv = without_comparing(group)});
    group.stop_at_lsn(cutover, open);
    group.on_source("CREATE TABLE late (id int PRIMARY KEY)");
    group.start_replicator(flags);
    refusal(cutover, "Run it again, which moves that table, too.");
    CHECK(contains(cutover.err(), "unable to cut over: public.late has joined the group since writes were stopped"));
    CHECK(group.try_source("INSERT INTO public.big VALUES (101); INSERT INTO public.late VALUES (1)") == "00000");
    group.settle();
    must_succeed(cut_over(group));
    CHECK(group.try_source("INSERT INTO public.late VALUES (2)") == "25006");
    CHECK(group.target_rows("late") == group.source_rows("late"));
    group.stop();
}

TEST_CASE("a table that joins the group after a cutover without a write stop is named, too") {
    Group group;
    const std::vector<std::string> alone{"--yes", "--stop-writes", "none"};
    must_succeed(cut_over(group, alone));
    must_succeed(cut_over(group, alone));
    group.on_source("CREATE TABLE later (id int PRIMARY KEY); INSERT INTO later VALUES (1)");
    eventually("the target has table later", [&] {
        return group.target_scalar("SELECT count(*) FROM pg_class WHERE relname = 'later'") == "1" &&
               group.target_rows("later").size() == 1;
    });
    const std::string hint = refusal(cutover_argv(group, alone), "If a table is new since then, write to it at the");
    CHECK(contains(hint, "pgsluice compare --tables 'public.later'"));
    group.stop();
}

TEST_CASE("a table that joins the group after a cutover begins no other one, and is named") {
    Group group;
    must_succeed(cut_over(group));
    group.on_target("INSERT INTO big VALUES (1000)");
    group.on_source("CREATE TABLE later (id int PRIMARY KEY); INSERT INTO later VALUES (1)");
    const auto await_later = [&](const std::string& rows) {
        eventually("the target has table later", [&] {
            return group.target_scalar("SELECT count(*) FROM pg_class WHERE relname = 'later'") == "1" &&
                   group.target_rows("later").size() == std::stoul(rows);
        });
    };
    await_later("1");
    const std::string hint = refusal(cutover_argv(group), "If a table is new since then, write to it at the target");
    CHECK(contains(hint, "pgsluice compare --tables 'public.later'"));
    CHECK(group.try_source("INSERT INTO public.later VALUES (2)") == "00000");
    CHECK(group.try_source("DELETE FROM public.big") == "25006");
    await_later("2");
    CHECK(contains(run_said(group, said(hint, "pgsluice compare", " that it has all")).out, "later: equal, 2 rows"));
    must_succeed(cut_over(group, {"--undo"}));
    group.on_target("DELETE FROM big WHERE id = 1000");
    must_succeed(cut_over(group));
    CHECK(group.try_source("INSERT INTO public.later VALUES (3)") == "25006");
    group.stop();
}
