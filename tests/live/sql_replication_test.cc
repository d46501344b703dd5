// sql::ReplicationConnection against a real server: slots, their snapshots and the stream of one.
#include "sql/replication.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

using namespace pgsluice;
using namespace pgsluice::sql;
using namespace pgsluice::test;

namespace {

struct Database {
    std::string name = shared_postgres().create_database();
    ConnectOptions options = with_role(shared_postgres().connect(name));
    Connection connection{options};

    static ConnectOptions with_role(ConnectOptions options) {
        options.role = "source";
        return options;
    }
    Database() { connection.exec("RESET search_path"); }
    Lsn lsn(const std::string& query) { return parse_lsn(connection.exec(query).text(0, 0)).value(); }
};

// Reads until this many messages of the kind (pgoutput's first letter) have come.
std::size_t read_until(ReplicationConnection& replication, char kind, int wanted) {
    std::size_t bytes = 0;
    eventually("the messages arrive", [&] {
        while (const auto payload = replication.receive()) {
            bytes += payload->size();
            if (payload->size() > 25 && payload->front() == 'w' && (*payload)[25] == kind) --wanted;
        }
        replication.wait(20);
        return wanted <= 0;
    });
    return bytes;
}

}  // namespace

TEST_CASE("the source says who it is") {
    Database database;
    const auto identity = ReplicationConnection(database.options).identify_system();
    CHECK(identity.system_identifier ==
          database.connection.exec("SELECT system_identifier FROM pg_control_system()").text(0, 0));
    CHECK(identity.timeline == 1);
    CHECK(identity.dbname == database.name);
    CHECK(identity.wal_end <= database.lsn("SELECT pg_current_wal_lsn()"));
}

TEST_CASE("a slot's snapshot ends where its stream begins") {
    Database database;
    database.connection.exec(
        "CREATE TABLE t (a int PRIMARY KEY); CREATE PUBLICATION \"p\"\"q\" FOR TABLE t; INSERT INTO t VALUES (1)");
    ReplicationConnection replication(database.options);
    const auto slot = replication.create_slot("snapshot_and_stream", SlotLife::temporary, SlotSnapshot::exported);
    database.connection.exec("INSERT INTO t SELECT generate_series(2, 1000)");

    Connection reader(database.options);
    reader.exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '" + slot.snapshot + "'");
    CHECK(reader.exec("SELECT count(*) FROM public.t").integer(0, 0) == 1);

    replication.start_replication("snapshot_and_stream", "p\"q");
    std::size_t rows = 0;
    eventually("the transaction arrives", [&] {
        while (const auto payload = replication.receive()) {
            if (payload->size() <= 25 || payload->front() != 'w') continue;
            if ((*payload)[25] == 'I') ++rows;
            if ((*payload)[25] == 'C') return true;
        }
        replication.wait(20);
        return false;
    });
    CHECK(rows == 999);

    const Lsn end = database.lsn("SELECT pg_current_wal_lsn()");
    CHECK(slot.consistent_point < end);
    replication.send_status(end, end, end);
    CHECK(replication.end(5000));
    CHECK(database.lsn(
              "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = 'snapshot_and_stream'") == end);
}

TEST_CASE("a large row arrives whole") {
    Database database;
    database.connection.exec("CREATE TABLE t (a text); CREATE PUBLICATION p FOR TABLE t");
    ReplicationConnection replication(database.options);
    replication.create_slot("large_row", SlotLife::temporary, SlotSnapshot::nothing);
    database.connection.exec("INSERT INTO t SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300000) i");
    replication.start_replication("large_row", "p");
    CHECK(read_until(replication, 'I', 1) > 300000 * 32);
}

TEST_CASE("a wrong slot, a second reader and a role without the right each get their error") {
    Database database;
    ReplicationConnection first(database.options);
    first.create_slot("taken", SlotLife::temporary, SlotSnapshot::nothing);
    const auto failure = [&](const ConnectOptions& options, const std::string& slot) {
        try {
            ReplicationConnection replication(options);
            replication.start_replication(slot, "p");
        } catch (const SqlError& error) {
            return error;
        }
        return SqlError(Action::usage, "no error", "");
    };
    CHECK(failure(database.options, "no_such_slot").action() == Action::stop);
    const auto busy = failure(database.options, "taken");
    CHECK(busy.sqlstate() == "55006");
    CHECK(busy.action() == Action::retry);

    database.connection.exec("DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN");
    auto plain = database.options;
    plain.user = "plain";
    const auto refused = failure(plain, "taken");
    CHECK(refused.action() == Action::stop);
    CHECK(refused.hint().find("REPLICATION") != std::string::npos);
}

TEST_CASE("a slot that waits for an open transaction can be stopped and leaves nothing") {
    Database database;
    database.connection.exec("CREATE TABLE t (a int); BEGIN; INSERT INTO t VALUES (1)");
    std::stop_source stop;
    {
        ReplicationConnection replication(database.options, stop.get_token());
        CHECK_THROWS_AS(replication.create_slot("waiting", SlotLife::permanent, SlotSnapshot::exported,
                                                [&] { stop.request_stop(); }),
                        Interrupted);
    }
    Connection observer(database.options);
    CHECK(eventually("the slot is gone", [&] {
        return observer.exec("SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'waiting'").integer(0, 0) ==
               0;
    }));
}

TEST_CASE("a stream that the server ends is worth another try") {
    Database database;
    database.connection.exec("CREATE TABLE t (a int); CREATE PUBLICATION p FOR TABLE t");
    ReplicationConnection replication(database.options);
    replication.create_slot("ended", SlotLife::temporary, SlotSnapshot::nothing);
    replication.start_replication("ended", "p");
    const std::string pid = std::to_string(replication.connection().backend_pid());
    database.connection.query("SELECT pg_terminate_backend($1::int, 5000)", {Param(pid)}, {1, 1, 1});
    std::optional<Action> ended;
    eventually("the stream ends", [&] {
        try {
            replication.wait(20);
            replication.receive();
        } catch (const Error& error) {
            ended = error.action();
        }
        return ended.has_value();
    });
    CHECK(ended == Action::retry);
    CHECK_FALSE(replication.end(100));
}
