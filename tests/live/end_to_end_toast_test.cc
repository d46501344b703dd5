// Values stored out of line: an UPDATE that does not touch one does not send it, and it stays as it was.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"

using namespace pgsluice::test;

namespace {

constexpr const char* schema = R"(
    CREATE TABLE documents (id int PRIMARY KEY, title text, body text, extra text);
    ALTER TABLE documents ALTER body SET STORAGE EXTERNAL, ALTER extra SET STORAGE EXTERNAL;)";

}  // namespace

TEST_CASE("a 1 MB column that an UPDATE does not touch stays as it was") {
    Pipeline pipeline;
    pipeline.on_both(schema);
    pipeline.on_source(
        "INSERT INTO documents VALUES (1, 'copied', repeat('0123456789abcdef', 65536), repeat('x', 9000))");
    pipeline.start();
    pipeline.settle();
    Process lines({.argv = pipeline.worker_argv("stdout", {})});
    pipeline.on_source(
        "INSERT INTO documents VALUES (2, 'streamed', repeat('fedcba9876543210', 65536), repeat('y', 9000))");
    pipeline.on_source("UPDATE documents SET title = title || ' and renamed'");
    pipeline.on_source("UPDATE documents SET extra = NULL WHERE id = 1");
    pipeline.on_source("UPDATE documents SET id = 3 WHERE id = 2");
    pipeline.check_equal({"documents"});
    CHECK(pipeline.target_scalar("SELECT string_agg(length(body)::text, ',') FROM documents") == "1048576,1048576");

    CHECK(eventually("stdout names the unchanged columns",
                     [&] { return lines.out().find(R"("UnchangedToast":["body","extra"])") != std::string::npos; }));
    pipeline.stop();
}

TEST_CASE("with REPLICA IDENTITY FULL the old row brings the value along") {
    Pipeline pipeline;
    pipeline.on_both(schema);
    pipeline.on_both("ALTER TABLE documents REPLICA IDENTITY FULL");
    pipeline.on_source(
        "INSERT INTO documents SELECT i, 'x', repeat('0123456789', 10000), NULL FROM generate_series(1, 3) AS i");
    pipeline.start();
    pipeline.on_source("UPDATE documents SET title = 'y' WHERE id = 2; DELETE FROM documents WHERE id = 3");
    pipeline.check_equal({"documents"});
    pipeline.stop();
}
