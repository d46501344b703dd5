// A column that takes another one's name, without and with --track-ddl.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

struct Named : Pipeline {
    explicit Named(std::vector<std::string> how) {
        for (const char* name : {"swapped", "taken", "new", "same"})
            on_both("CREATE TABLE \"" + std::string(name) + "\" (id int PRIMARY KEY, a text, b text)");
        on_source(
            "INSERT INTO swapped VALUES (1, 'a', 'b'); INSERT INTO taken VALUES (1, 'a', 'b'); INSERT INTO \"new\" "
            "VALUES "
            "(1, 'a', 'b'); INSERT INTO same VALUES (1, 'a', 'b')");
        start_replicator(std::move(how));
        start_worker();
        settle();
        on_source(
            "INSERT INTO swapped (id) VALUES (2); INSERT INTO taken (id) VALUES (2); INSERT INTO \"new\" (id) "
            "VALUES (2); INSERT INTO same (id) VALUES (2)");
        settle();
        on_source(
            "ALTER TABLE swapped RENAME a TO x; ALTER TABLE swapped RENAME b TO a; ALTER TABLE swapped RENAME x TO b");
        on_source("ALTER TABLE taken DROP a; ALTER TABLE taken RENAME b TO a");
        on_source("ALTER TABLE \"new\" DROP a, ADD a text DEFAULT 'new'");
        on_source(
            "INSERT INTO swapped (id) VALUES (3); INSERT INTO taken (id) VALUES (3); INSERT INTO \"new\" (id) "
            "VALUES (3); INSERT INTO same (id) VALUES (3)");
        settle();
    }
    [[nodiscard]] bool warned_of(const std::string& column, const std::string& table) {
        return contains(worker().err(), "column '" + column + "' of 'public." + table +
                                            "' is now a different column of the source under the same name");
    }
};

}  // namespace

TEST_CASE("a column that takes another one's name is said, and a copy puts it right") {
    Named group({"--copy-and-stream"});
    CHECK(group.warned_of("a", "swapped"));
    CHECK(group.warned_of("b", "swapped"));
    CHECK(group.warned_of("a", "taken"));
    CHECK(group.warned_of("a", "new"));
    CHECK_FALSE(group.warned_of("a", "same"));
    const std::size_t said = group.worker().err().size();
    const Finished again = run({PGSLUICE_BINARY, "resnapshot", "--group", group.group(), "--nats-url",
                                shared_nats().url(), "--tables", "swapped,new"});
    INFO(again.err);
    CHECK(again.code == 0);
    const auto becomes = [&](const std::string& query, const std::string& value) {
        CHECK(eventually(query + " is right", [&] { return group.target_scalar(query) == value; }));
    };
    becomes("SELECT a || b FROM swapped WHERE id = 1", "ba");
    becomes("SELECT a FROM \"new\" WHERE id = 1", "new");
    CHECK_FALSE(contains(group.worker().err().substr(said), "is now a different column of the source"));
    group.stop();
}

TEST_CASE("where the commands are followed there is nothing to say") {
    Named group({"--copy-and-stream", "--track-ddl"});
    group.check_equal({"swapped", "taken", "new", "same"});
    CHECK_FALSE(contains(group.worker().err(), "is now a different column of the source"));
    CHECK_FALSE(contains(group.worker().err(), "no longer comes from the source"));
    group.stop();
}
