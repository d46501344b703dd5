// The notes by which DDL messages are told from others.
#include "replicator/source/ddl_events.h"

#include <doctest/doctest.h>

#include <future>

#include "tests/support/postgres_server.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

struct Notes {
    Notes() {
        writer.exec(
            "CREATE SCHEMA pgsluice; CREATE TABLE pgsluice.ddl_event (\"group\" text, id text, xid xid8 NOT NULL, "
            "digest bytea NOT NULL, PRIMARY KEY (\"group\", id))");
    }
    // Begins a transaction that notes a message; its number.
    std::uint32_t begin(const std::string& id, const std::string& content) {
        const auto noted =
            writer.exec("BEGIN; INSERT INTO pgsluice.ddl_event VALUES ('shop', '" + id +
                        "', pg_current_xact_id(), sha256(convert_to('" + content + "', 'UTF8'))) RETURNING xid(xid)");
        return static_cast<std::uint32_t>(std::stoul(noted.text(0, 0)));
    }
    std::uint32_t note(const std::string& id, const std::string& content) {
        const auto xid = begin(id, content);
        writer.exec("COMMIT");
        return xid;
    }
    bool holds(std::uint32_t xid, const std::string& prefix, const std::string& content, Lsn lsn = Lsn{100}) {
        return events.holds({xid, lsn, prefix, content});
    }

    std::string said;
    const Log log = [this](LogLevel, std::string_view text) { said += std::string(text) + "\n"; };
    const std::string database = shared_postgres().create_database();
    sql::Connection writer{shared_postgres().connect(database)};
    sql::Connection reader{shared_postgres().connect(database)};
    DdlEvents events{reader, names_for("shop"), {"pgsluice.ddl/shop/", "pgsluice.ddl/shop/secret", Lsn{50}}, log};
};

}  // namespace

TEST_CASE("a message is the triggers' own if its transaction has noted it, and it says what was noted") {
    Notes notes;
    const auto xid = notes.note("a", "{\"ä\":1}");
    CHECK(notes.holds(xid, "pgsluice.ddl/shop/a", "{\"ä\":1}"));
    CHECK(notes.said.empty());
    CHECK_FALSE(notes.holds(xid, "pgsluice.ddl/shop/a", "{\"ä\":1}"));  // once more, in the same transaction
    CHECK_FALSE(notes.holds(xid + 1, "pgsluice.ddl/shop/a", "{\"ä\":1}"));
    CHECK_FALSE(notes.holds(xid, "pgsluice.ddl/shop/a", "{\"ä\":2}"));
    CHECK_FALSE(notes.holds(xid, "pgsluice.ddl/shop/b", "{\"ä\":1}"));
    CHECK_FALSE(notes.holds(xid, "pgsluice.ddl/shop/", ""));
    CHECK(count(notes.said, "ignoring a DDL message") == 5);
    CHECK_FALSE(notes.holds(xid, "pgsluice.ddl/bar/a", "{\"ä\":1}"));  // of another group: not a word
    CHECK(count(notes.said, "ignoring a DDL message") == 5);
}

// pg_logical_emit_message() takes up to a gigabyte, from everybody, and a statement with its digits no server takes.
TEST_CASE("a forged message of more than half a gigabyte is ignored like any other") {
    Notes notes;
    const auto xid = notes.note("a", "x");
    const std::string large(540'000'000, 'x');
    CHECK_FALSE(notes.holds(xid, "pgsluice.ddl/shop/b", large));
    CHECK_FALSE(notes.holds(xid, "pgsluice.ddl/shop/" + large, "x"));
    CHECK_FALSE(notes.holds(xid, "pgsluice.ddl/shop/a", large));
    CHECK(notes.holds(xid, "pgsluice.ddl/shop/a", "x"));
    CHECK(count(notes.said, "ignoring a DDL message") == 3);
}

TEST_CASE("a transaction that other sessions do not see yet is waited for") {
    Notes notes;
    for (const bool commits : {true, false}) {
        const auto xid = notes.begin(commits ? "a" : "b", "x");
        auto held = std::async(std::launch::async, [&] {
            return notes.holds(xid, commits ? "pgsluice.ddl/shop/a" : "pgsluice.ddl/shop/b", "x");
        });
        CHECK(held.wait_for(std::chrono::milliseconds(200)) == std::future_status::timeout);
        notes.writer.exec(commits ? "COMMIT" : "ROLLBACK");
        CHECK(held.get() == commits);
    }
}

TEST_CASE("the secret of an earlier version counts up to where its triggers were replaced") {
    Notes notes;
    CHECK(notes.holds(1, "pgsluice.ddl/shop/secret", "x", Lsn{50}));
    CHECK_FALSE(notes.holds(1, "pgsluice.ddl/shop/secret", "x", Lsn{51}));
    CHECK_FALSE(notes.holds(1, "pgsluice.ddl/shop/secret2", "x", Lsn{50}));
}
