// xml, array, hstore and composite between real servers: what they make is valid there, the rest of the value is as it
// was, and updates and deletes find their rows.
#include <doctest/doctest.h>

#include "tests/live/compare_fixture.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* rules_text = R"(
secret_env: PGSLUICE_TEST_SECRET
tables:
  people:
    - {type: transform, column: emails, parameters: {type: array, transform: {type: email}}}
    - {type: transform, column: names, parameters: {type: array, transform: {type: mask}}}
    - {type: transform, column: days, parameters: {type: array, transform: {type: truncate_date}}}
    - {type: transform, column: more, parameters: {type: hstore, keys: [iban, 'a "key\'], transform: {type: redact}}}
    - {type: transform, column: more, parameters: {type: hstore, keys: [gone, 'gone, "too\'], delete: true}}
    - {type: transform, column: more, parameters: {type: hstore, keys: [made, none], set: 'it''s "so\'}}
    - {type: transform, column: who, parameters: {type: composite, field: 2, field_type: date, transform: {type: truncate_date}}}
    - {type: transform, column: who, parameters: {type: composite, field: 3, field_type: 'text[]', transform: {type: array, transform: {type: mask}}}}
    - {type: transform, column: who, parameters: {type: composite, field: 4, field_type: row, transform: {type: composite, field: 1, transform: {type: redact}}}}
    - {type: transform, column: doc, parameters: {type: xml, paths: [//name, /order/@by], transform: {type: mask}}}
)";

constexpr const char* table = R"(
    CREATE EXTENSION hstore;
    CREATE TYPE address AS (street text, floor int);
    CREATE TYPE person AS (n int, born date, names text[], home address);
    CREATE TABLE people (id int PRIMARY KEY, emails text[], names varchar(20)[], days date[], more hstore, doc xml,
        who person))";

std::string person(int id) {
    return "INSERT INTO people VALUES (" + std::to_string(id) +
           R"(, ARRAY['canary@a.com', NULL, '"canary", {b}', ''], '[2:3][1:1]={{Anna Canary},{NULL}}', '{2024-06-15,NULL}',
           'iban=>canary, "a \"key\\"=>canary, b=>NULL, "c \"d"=>"e\\f", gone=>canary, "gone, \"too\\"=>canary, made=>canary',
           '<order by="canary"><name lang="de">Anna <b>canary</b></name><item>tea &amp; cake</item></order>',
           ROW(7, '1984-05-06', ARRAY['Anna Canary', 'a "canary", b'], ROW('canary "street"', 3)));)";
}

// Some of it by the target's own functions, which take valid values only.
constexpr const char* parts = R"(
    SELECT string_agg(concat_ws('|', id, array_length(emails, 1), emails[2] IS NULL, emails[1] <> emails[3],
        emails[1] ~ '@example.com$', array_dims(names), names[2][1], names[3][1] IS NULL, days::text, more->'iban', more->'a "key\',
        more ? 'b', more->'c "d', more ?| ARRAY['gone', 'gone, "too\'], more->'made', xpath('//name/b/text()', doc)::text, xpath('/order/@by', doc)::text,
        xpath('//item/text()', doc)::text, (who).n, (who).born, (who).names[1], length((who).names[2]), (who).home.street,
        (who).home.floor), E'\n' ORDER BY id) FROM people)";

std::string expected(const std::string& id) {
    return id +
           R"(|4|t|t|t|[2:3][1:1]|A*********y|t|{2024-06-01,NULL}|********|********|t|e\f|f|it's "so\|{c****y}|{c****y}|{"tea &amp; cake"}|7|1984-05-01|A*********y|13|********|3)";
}

}  // namespace

TEST_CASE(
    "xml, arrays, hstore and row types: what is hidden within is valid on the target, and all else is as it was") {
    const TextFile rules(rules_text);
    const std::map<std::string, std::string> secret{{"PGSLUICE_TEST_SECRET", "s"}};
    Pipeline pipeline;
    pipeline.on_both(table);
    pipeline.on_source(person(1) + person(2) +
                       "INSERT INTO people (id) VALUES (9); UPDATE people SET more = '' WHERE id = 9");
    pipeline.start_replicator();
    pipeline.start_worker({"--rules-config", rules.path()}, secret);
    pipeline.settle();
    pipeline.on_source(person(3));
    pipeline.on_source("ALTER TABLE people REPLICA IDENTITY FULL; UPDATE people SET id = 4 WHERE id = 2");
    pipeline.on_source(
        "UPDATE people SET days = days || '2024-07-31'::date WHERE id = 1; DELETE FROM people WHERE id = 3");
    pipeline.on_source("UPDATE people SET days = trim_array(days, 1) WHERE id = 1");
    pipeline.settle();
    CHECK(pipeline.target_scalar(parts) == expected("1") + "\n" + expected("4") + "\n9|t|t|f|f");
    CHECK_FALSE(contains(pipeline.target_scalar("SELECT string_agg(p::text, ' ') FROM people p"), "canary"));
    pipeline.stop();
}
