// What real migration tools send for a history of 30 migrations, made, taken back in part and as a whole, and made
// again (tests/migrations/recorded, by tests/migrations/run --record), while writers change the tables: source and
// target are equal afterwards, and nothing has stopped.
#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "sql/connection.h"
#include "tests/support/churn.h"
#include "tests/support/pipeline.h"
#include "tests/support/same_databases.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;

Texts recorded(const std::string& tool) {
    std::ifstream file(PGSLUICE_SOURCE_DIR "/tests/migrations/recorded/" + tool + ".sql");
    Texts texts;
    for (std::string line; std::getline(file, line);) {
        if (line == "-- sent")
            texts.emplace_back();
        else
            texts.back() += (texts.back().empty() ? "" : "\n") + line;
    }
    return texts;
}

// Each text as the tool sent it; the writers get on between transactions.
void send(Pipeline& pipeline, Churn& churn, const Texts& texts) {
    sql::Connection connection(shared_servers().source.connect(pipeline.source_db()));
    connection.exec("SET deadlock_timeout = '60s'; SET search_path = public");
    bool open = false;
    for (const std::string& text : texts) {
        CAPTURE(text);
        REQUIRE_NOTHROW(connection.exec(text));
        if (text.starts_with("BEGIN")) open = true;
        if (text.starts_with("COMMIT") || text.starts_with("ROLLBACK")) open = false;
        if (!open) churn.await(2);
    }
}

void follow(const std::string& tool) {
    const Texts texts = recorded(tool);
    REQUIRE(texts.size() > 100);
    Pipeline pipeline;
    pipeline.start({"--copy-and-stream", "--track-ddl"});
    pipeline.settle();
    Churn churn(pipeline);
    send(pipeline, churn, texts);
    churn.stop();
    await_same_databases(pipeline);
    pipeline.stop();
}

}  // namespace

TEST_CASE("what Alembic sends") { follow("alembic"); }
TEST_CASE("what Django sends") { follow("django"); }
TEST_CASE("what node-pg-migrate sends") { follow("node-pg-migrate"); }
