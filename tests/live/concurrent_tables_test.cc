// Many transactions at once make tables on a source that has our event triggers: none waits for another.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "sql/connection.h"
#include "stream/group/table_record.h"
#include "tests/support/pipeline.h"
#include "tests/support/slow.h"
#include "tests/support/stream_group.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

constexpr int transactions = 300;

std::string name_of(int i) { return "made_" + std::to_string(i); }

// All are open at the same time, and each statement fails rather than waits.
void make_tables(PostgresServer& source, const std::string& database) {
    std::vector<sql::Connection> clients;
    for (int i = 0; i < transactions; ++i) {
        sql::Connection& client = clients.emplace_back(source.connect(database));
        client.exec("SET search_path = public; SET lock_timeout = '10s'");
        client.exec("BEGIN");
        client.exec("CREATE TABLE " + name_of(i) + " (id int PRIMARY KEY, v text)");
        client.exec("INSERT INTO " + name_of(i) + " VALUES (1, 'in the transaction')");
    }
    for (sql::Connection& client : clients) client.exec("COMMIT");
    for (int i = 0; i < transactions; ++i)
        clients[static_cast<std::size_t>(i)].exec("INSERT INTO " + name_of(i) + " VALUES (2, 'later')");
}

int joined(Broker& broker, const std::string& group) {
    int tables = 0;
    const auto record = find_table_records(broker, names_for(group));
    for (const auto& [oid, entry] : record.value())
        if (entry.name.table.starts_with("made_") && entry.active() && entry.state != TableState::copy_due) ++tables;
    return tables;
}

}  // namespace

TEST_CASE("300 transactions that each make a table do not wait for each other, and all rows arrive" * slow) {
    PostgresServer source({.settings = {{"max_connections", "400"}}});
    Pipeline pipeline({source, shared_postgres(), shared_nats()});
    pipeline.start({"--copy-and-stream", "--track-ddl"});
    pipeline.settle();
    make_tables(source, pipeline.source_db());
    const auto broker = connect_broker();
    eventually(
        "all have joined the group", [&] { return joined(*broker, pipeline.group()) == transactions; },
        std::chrono::seconds(300));
    std::vector<std::string> tables;
    for (int i = 0; i < transactions; ++i) tables.push_back(name_of(i));
    pipeline.check_equal(tables);
    pipeline.stop();
}
