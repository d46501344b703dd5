// What real migration tools send for a history of 30 migrations, made, taken back in part and as a whole, and made
// again (tests/migrations/recorded, by tests/migrations/run --record), while writers change the tables: source and
// target are equal afterwards, and nothing has stopped.
#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "sql/connection.h"
#include "sql/error.h"
#include "tests/support/churn.h"
#include "tests/support/pipeline.h"
#include "tests/support/same_databases.h"
#include "tests/support/slow.h"

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

// Each text as the tool sent it; the writers get on between transactions. A transaction that deadlocks with a writer,
// as one may that has a foreign key's lock and then alters the table, is sent again.
class Tool {
   public:
    Tool(Pipeline& pipeline, Churn& churn)
        : connection_(shared_servers().source.connect(pipeline.source_db())), churn_(churn) {
        connection_.exec("SET deadlock_timeout = '60s'; SET search_path = public");
    }

    void send(const Texts& texts) {
        bool open = false;
        std::size_t begun = 0;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            CAPTURE(texts[i]);
            if (!open) begun = i;
            if (!run(texts[i])) {
                if (open) connection_.exec("ROLLBACK");
                open = false;
                i = begun - 1;
                continue;
            }
            if (texts[i].starts_with("BEGIN")) open = true;
            if (texts[i].starts_with("COMMIT") || texts[i].starts_with("ROLLBACK")) open = false;
            if (!open) churn_.await(2);
        }
    }

   private:
    bool run(const std::string& text) {
        try {
            connection_.exec(text);
            return true;
        } catch (const SqlError& error) {
            INFO(error.what());
            REQUIRE(error.sqlstate() == "40P01");
            REQUIRE(++deadlocks_ < 20);
            return false;
        }
    }

    sql::Connection connection_;
    Churn& churn_;
    int deadlocks_ = 0;
};

void follow(const std::string& tool) {
    const Texts texts = recorded(tool);
    REQUIRE(texts.size() > 100);
    Pipeline pipeline;
    pipeline.start({"--copy-and-stream", "--track-ddl"});
    pipeline.settle();
    Churn churn(pipeline);
    Tool(pipeline, churn).send(texts);
    churn.stop();
    await_same_databases(pipeline);
    pipeline.stop();
}

}  // namespace

TEST_CASE("what Alembic sends") { follow("alembic"); }
TEST_CASE("what Django sends" * slow) { follow("django"); }
TEST_CASE("what node-pg-migrate sends" * slow) { follow("node-pg-migrate"); }
