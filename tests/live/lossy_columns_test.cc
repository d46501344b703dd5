// A worker says which columns of its target store what rows bring as something else, once each, and writes them.
#include <doctest/doctest.h>

#include "tests/support/pipeline.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

TEST_CASE("lossy columns: rounded, cut, without their zone, and generated") {
    Pipeline group;
    group.on_source(
        "CREATE DOMAIN price AS numeric(8, 4); CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE t (id int "
        "PRIMARY "
        "KEY, amount numeric(10, 4), name varchar(20), at timestamptz, sum int, same numeric(10, 2), other text, cost "
        "price, code char(4), feels mood, wide int, tags varchar(10)[])");
    group.on_target(
        "CREATE DOMAIN price AS numeric(8, 4); CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE t (id int "
        "PRIMARY "
        "KEY, amount numeric(10, 2), name varchar(10), at timestamp, sum int GENERATED ALWAYS AS (id + 1) STORED, same "
        "numeric(10, 2), other text, cost price, code char(4), feels mood, wide bigint, tags varchar(20)[])");
    group.on_source("INSERT INTO t VALUES (1, 1.2345, 'a', now(), 7, 1.25, 'o', 1.5, 'c', 'good', 1, '{a}')");
    group.start();
    group.settle();
    group.on_source("INSERT INTO t VALUES (2, 2.3456, 'b', now(), 7, 1.25, 'o', 1.5, 'c', 'bad', 1, '{b}')");
    group.settle();
    CHECK(group.target_scalar("SELECT string_agg(amount || ',' || sum, ' ' ORDER BY id) FROM t") == "1.23,2 2.35,3");
    const std::string err = group.worker().err();
    const auto said = [&](const std::string& column, const std::string& what) {
        CHECK(count(err, "column '" + column + "' of the target's table 'public.t' ") == 1);
        CHECK(contains(err, "column '" + column + "' of the target's table 'public.t' " + what));
    };
    said("amount", "is another type than in the rows: values are rounded to its scale without an error");
    said("name", "is another type than in the rows: values lose blanks at their end");
    said("at", "is another type than in the rows: values are stored as what clocks show in UTC");
    said("sum", "is generated: the values of rows are dropped, and the target computes its own; see pgsluice check");
    for (const char* column : {"same", "other", "cost", "code", "feels", "wide", "tags", "id"})
        CHECK_FALSE(contains(err, "column '" + std::string(column) + "' of the target's table"));
    group.stop();
}
