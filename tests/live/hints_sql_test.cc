// The hints about connecting to PostgreSQL and about what it refuses: each is followed to the letter, and the same call
// then works.
#include <doctest/doctest.h>

#include <functional>

#include "sql/connection.h"
#include "sql/error.h"
#include "sql/replication.h"
#include "tests/support/hint.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;
using sql::ConnectOptions;

namespace {

std::string hint_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.hint();
    }
    return "works";
}

std::string connecting(const ConnectOptions& options) {
    return hint_of([&] { sql::Connection connection(options); });
}

// As a role of its own, which may log in and no more.
struct Role {
    std::string database = shared_postgres().create_database();
    std::string name = "role_" + database;
    ConnectOptions options = shared_postgres().connect(database);

    Role() {
        sql("CREATE ROLE " + name + " LOGIN");
        options.user = name;
        options.url.clear();
    }
    void sql(const std::string& statement) const { shared_postgres().sql(database, statement); }
    [[nodiscard]] std::string hint_for(const std::string& statement) const {
        return hint_of([&] {
            sql::Connection connection(options);
            connection.exec(statement);
        });
    }
};

}  // namespace

TEST_CASE("a password that is missing or wrong") {
    PostgresServer server({.password = true});
    ConnectOptions options = server.connect("postgres");
    const std::string right = options.password;
    const std::string hint =
        "Give the role's password (--password, --target-password, PGPASSWORD or the password file), or correct the "
        "user's name.";
    for (const char* password : {"", "wrong"}) {
        options.password = password;
        CHECK(connecting(options) == hint);
    }
    options.password = right;
    CHECK(connecting(options) == "works");
    options.user = "nobody";
    CHECK(connecting(options) == hint);
}

TEST_CASE("a role that may not log in") {
    const Role role;
    role.sql("ALTER ROLE " + role.name + " NOLOGIN");
    role.sql(said(connecting(role.options), "ALTER ROLE ", ")"));
    CHECK(connecting(role.options) == "works");
    ConnectOptions wrong = role.options;
    wrong.user = role.name + "_x";
    CHECK(contains(connecting(wrong), "Correct the user's name"));
}

TEST_CASE("a database that does not exist") {
    ConnectOptions options = shared_postgres().connect("not_made_yet");
    CHECK(connecting(options) == "Create the database or correct its name.");
    shared_postgres().sql("postgres", "CREATE DATABASE not_made_yet");
    CHECK(connecting(options) == "works");
}

TEST_CASE("a server that is not there") {
    PostgresServer server;
    const ConnectOptions options = server.connect("postgres");
    server.stop_immediate();
    const std::string hint =
        "Start the server, or correct host and port; its listen_addresses must include this address.";
    CHECK(connecting(options) == hint);
    server.start();
    CHECK(connecting(options) == "works");
    ConnectOptions wrong = options;
    wrong.port = std::to_string(free_port());
    wrong.url.clear();
    CHECK(connecting(wrong) == hint);
}

TEST_CASE("connection options that cannot be met") {
    ConnectOptions options = shared_postgres().connect("postgres");
    const std::string hint =
        "Correct the connection option that the message is about (sslmode, sslrootcert, channel_binding and the like).";
    for (const char* wrong : {"sslmode=require", "sslmode=quark", "channel_binding=require"}) {
        options.url = wrong;
        CHECK(connecting(options) == hint);
    }
    options.url = "sslmode=prefer channel_binding=prefer";
    CHECK(connecting(options) == "works");
}

TEST_CASE("a URL that cannot be read") {
    ConnectOptions options = shared_postgres().connect("postgres");
    const std::string place = options.host + ":" + options.port + "/postgres";
    options.host.clear();
    options.port.clear();
    options.user.clear();
    for (const std::string& url : {std::string("postgresql://postgres:a@b/c@") + place, std::string("hots=h")}) {
        options.url = url;
        CHECK(connecting(options) ==
              "Use postgresql://user@host:port/dbname or 'host=... dbname=...'; write reserved characters in a URL as "
              "%XX.");
    }
    options.url = "postgresql://postgres:a%40b%2Fc@" + place;
    CHECK(connecting(options) == "works");
}

TEST_CASE("connections that are all taken") {
    PostgresServer server(
        {.settings = {{"max_connections", "4"}, {"superuser_reserved_connections", "0"}, {"max_wal_senders", "0"}}});
    const ConnectOptions options = server.connect("postgres");
    std::vector<std::unique_ptr<sql::Connection>> others;
    CHECK(eventually("all are taken", [&] {
        // One that was just closed takes its server process a moment.
        try {
            others.push_back(std::make_unique<sql::Connection>(options));
        } catch (const Error&) {
        }
        return others.size() == 4;
    }));
    CHECK(eventually("none is free", [&] {
        return connecting(options) ==
               "Raise max_connections (max_wal_senders for replication) or close other connections.";
    }));
    others.clear();
    CHECK(eventually("they are closed", [&] { return connecting(options) == "works"; }));
}

TEST_CASE("what only an owner or a superuser may do") {
    const Role role;
    role.sql("CREATE ROLE owner_" + role.database + "; GRANT ALL ON SCHEMA public TO owner_" + role.database +
             "; SET ROLE owner_" + role.database + "; CREATE TABLE public.t (id int)");
    const std::string alter = "ALTER TABLE public.t ADD v text";
    const std::string hint = role.hint_for(alter);
    CHECK(contains(hint, "Make the role a member of the object's owner (GRANT owner TO "));
    role.sql("GRANT owner_" + role.database + said(hint, " TO ", ")"));
    CHECK(role.hint_for(alter) == "works");
    const std::string trigger =
        "CREATE FUNCTION pg_temp.f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; "
        "CREATE EVENT TRIGGER e_" +
        role.database + " ON sql_drop EXECUTE FUNCTION pg_temp.f()";
    CHECK(role.hint_for(trigger) == "Use a superuser for this.");
    role.sql("ALTER ROLE " + role.name + " SUPERUSER");
    CHECK(role.hint_for(trigger + "; DROP EVENT TRIGGER e_" + role.database) == "works");
}

TEST_CASE("a name that is not there") {
    const Role role;
    const std::string select = "SELECT FROM public.missing";
    CHECK(role.hint_for(select) == "Create what the message names, or correct its name and schema.");
    role.sql("CREATE TABLE public.missing (); GRANT SELECT ON public.missing TO " + role.name);
    CHECK(role.hint_for(select) == "works");
}

TEST_CASE("a slot that another session uses") {
    const std::string database = shared_postgres().create_database();
    const ConnectOptions options = shared_postgres().connect(database);
    sql::Connection connection(options);
    connection.exec("SELECT pg_create_logical_replication_slot('busy_" + database + "', 'pgoutput')");
    Process reader({.argv = {"/usr/bin/env", "pg_recvlogical", "--dbname", shared_postgres().url(database), "--slot",
                             "busy_" + database, "--start", "--option=proto_version=1", "--option=publication_names=p",
                             "--file=-", "--no-loop"},
                    .stdout_file = "/dev/null"});
    const std::string active = "SELECT active_pid FROM pg_replication_slots WHERE slot_name = 'busy_" + database + "'";
    CHECK(eventually("it is in use", [&] { return !shared_postgres().scalar(database, active).empty(); }));
    const auto drop = [&] {
        return hint_of([&] { connection.exec("SELECT pg_drop_replication_slot('busy_" + database + "')"); });
    };
    CHECK(drop() == "Another session is using it; end that session first.");
    connection.exec("SELECT pg_terminate_backend(" + shared_postgres().scalar(database, active) + ")");
    CHECK(eventually("it is free", [&] { return shared_postgres().scalar(database, active).empty(); }));
    CHECK(drop() == "works");
}

TEST_CASE("no room for another slot") {
    PostgresServer server({.settings = {{"max_replication_slots", "1"}}});
    sql::Connection connection(server.connect("postgres"));
    const std::string second = "SELECT pg_create_physical_replication_slot('second')";
    connection.exec("SELECT pg_create_physical_replication_slot('first')");
    CHECK(hint_of([&] { connection.exec(second); }) ==
          "Raise the limit that the message names (max_replication_slots, max_wal_senders).");
    connection.exec("ALTER SYSTEM SET max_replication_slots = 2");
    server.stop_immediate();
    server.start();
    CHECK(hint_of([&] { sql::Connection(server.connect("postgres")).exec(second); }) == "works");
}

TEST_CASE("a database that is dropped under a session") {
    const std::string database = shared_postgres().create_database();
    const ConnectOptions options = shared_postgres().connect(database);
    sql::Connection connection(options);
    shared_postgres().sql("postgres", "DROP DATABASE \"" + database + "\" WITH (FORCE)");
    CHECK(hint_of([&] { connection.exec("SELECT 1"); }) != "works");
    CHECK(connecting(options) == "Create the database or correct its name.");
    shared_postgres().sql("postgres", "CREATE DATABASE \"" + database + "\"");
    CHECK(connecting(options) == "works");
}
