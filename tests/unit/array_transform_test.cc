// array, hstore: another transform for each element, or for some keys; all else stays as PostgreSQL prints it.
#include <doctest/doctest.h>

#include "tests/support/text.h"
#include "tests/unit/transform_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::contains;

namespace {

std::string in_array(const std::string& transform, std::string_view text, const Column& array) {
    return std::string(OneTransform("array", "transform: " + transform, array)(text));
}
std::string in_array(const std::string& transform, std::string_view text) {
    return in_array(transform, text, column("c", text_array_type, false, text_type.oid));
}
std::string array_error(const std::string& transform, std::string_view text, const Column& array) {
    return error_of([&] { (void)in_array(transform, text, array); });
}
std::string in_hstore(const std::string& parameters, std::string_view text) {
    return std::string(OneTransform("hstore", parameters, hstore_type)(text));
}

const Column numbers = column("c", {1007, "integer[]"}, false, integer_type.oid);
const Column texts = column("c", text_array_type, false, text_type.oid);

}  // namespace

TEST_CASE("array: each element is transformed, and quoted as PostgreSQL does") {
    const std::string redact = "{type: regex, pattern: x, replace: ";
    CHECK(in_array("{type: mask}", "{Keller,abc}") == "{K****r,a*c}");
    CHECK(in_array("{type: mask}", "{}") == "{}");
    CHECK(in_array("{type: mask}", "{NULL,abc,\"NULL\"}") == "{NULL,a*c,N**L}");
    CHECK(in_array("{type: mask}", R"({{"a,b","c}d"},{"e\"f","g\\h"}})") == "{{a*b,c*d},{e*f,g*h}}");
    CHECK(in_array("{type: mask}", "[0:1]={abc,def}") == "[0:1]={a*c,d*f}");
    CHECK(in_array(redact + "''}", "{x,y}") == "{\"\",y}");
    CHECK(in_array(redact + "'null'}", "{x,y}") == "{\"null\",y}");
    CHECK(in_array(redact + "'a b'}", "{x}") == "{\"a b\"}");
    CHECK(in_array(redact + "'a\"b'}", "{x}") == R"({"a\"b"})");
    CHECK(in_array(redact + "'{'}", "{x}") == "{\"{\"}");
    CHECK(in_array("{type: 'null'}", "{a,b}") == "{NULL,NULL}");
    CHECK(in_array("{type: constant, value: z}", "{a,NULL}") == "{z,z}");
    CHECK(in_array("{type: constant, value: 0}", "{1,NULL,3}", numbers) == "{0,0,0}");
}

TEST_CASE("array: elements have their column's type and length") {
    Column narrow = column("c", {1015, "character varying(3)[]"}, false, varchar_type.oid);
    narrow.typmod = 3 + 4;
    CHECK(in_array("{type: city}", "{a}", narrow).size() <= 5);
    CHECK(contains(array_error("{type: redact}", "{a}", narrow), "8 characters, but the column holds 3"));
    CHECK(contains(array_error("{type: mask}", "{1}", numbers), "of an element: it takes text"));
    CHECK(contains(array_error("{type: mask}", "{1}", column("c", text_type)), "it takes arrays"));
    CHECK(contains(array_error("{type: constant, value: x}", "{1}", numbers), "of an element"));
    CHECK(contains(array_error("{type: uuid, by: who}", "{1}", texts), "'by' cannot be used inside an array"));
    Column boxes = column("c", {1020, "box[]"}, false, 603);
    CHECK(contains(array_error("{type: 'null'}", "{(1,1),(0,0)}", boxes), "it takes arrays"));
}

TEST_CASE("array: elements of char(n) are padded as PostgreSQL prints them") {
    Column padded = column("c", {1014, "character(5)[]"}, false, char_type.oid);
    padded.typmod = 5 + 4;
    CHECK(in_array("{type: mask}", "{\"abc  \",NULL,\"     \",äöüxy}", padded) == "{\"a*c  \",NULL,\"     \",ä***y}");
    CHECK(in_array("{type: mask}", "{abc}", column("c", {1014, "character[]"}, false, char_type.oid)) == "{a*c}");
}

TEST_CASE("array: what is none stops, and does not show") {
    for (const char* bad :
         {"canary", "canary{a}", "{canary", "{\"canary}", "{canary}}", "{canary}x", "", "{\"canary\\", "{{canary}"}) {
        const std::string error = array_error("{type: mask}", bad, texts);
        CHECK(contains(error, "unable to apply rule"));
        CHECK_FALSE(contains(error, "canary"));
    }
}

TEST_CASE("hstore: values of the keys are transformed, all else stays") {
    const std::string value = R"("id"=>"7", "name"=>"Keller", "n\"q"=>"a\\b", "none"=>NULL)";
    CHECK(in_hstore("key: name, transform: {type: mask}", value) ==
          R"("id"=>"7", "name"=>"K****r", "n\"q"=>"a\\b", "none"=>NULL)");
    CHECK(in_hstore("keys: ['n\"q', none], transform: {type: constant, value: 'x\"y'}", value) ==
          R"("id"=>"7", "name"=>"Keller", "n\"q"=>"x\"y", "none"=>"x\"y")");
    CHECK(in_hstore("keys: [id, name], transform: {type: 'null'}", value) ==
          R"("id"=>NULL, "name"=>NULL, "n\"q"=>"a\\b", "none"=>NULL)");
    CHECK(in_hstore("key: name, transform: {type: mask}", "").empty());
    for (const char* bad :
         {"canary", R"("canary")", R"("a"=>canary)", R"("a"=>"b" canary)", R"("a"=>"canary)", R"("a"=>"b", )"}) {
        const std::string error = error_of([&] { (void)in_hstore("key: a, transform: {type: mask}", bad); });
        CHECK(contains(error, "unable to apply rule"));
        CHECK_FALSE(contains(error, "canary"));
    }
    CHECK(contains(error_of([] { OneTransform("hstore", "key: a, transform: {type: mask}", jsonb_type); }),
                   "it takes hstore"));
    CHECK(contains(error_of([] { OneTransform("hstore", "keys: [], transform: {type: mask}", hstore_type); }),
                   "must list at least one"));
    CHECK(contains(error_of([] { OneTransform("hstore", "key: a", hstore_type); }), "'transform' is missing"));
}

TEST_CASE("hstore: keys are deleted, or set where they are") {
    const std::string value = R"("id"=>"7", "n\"q"=>"a\\b", "name"=>"Keller", "none"=>NULL)";
    CHECK(in_hstore("key: id, delete: true", value) == R"("n\"q"=>"a\\b", "name"=>"Keller", "none"=>NULL)");
    CHECK(in_hstore("key: name, delete: true", value) == R"("id"=>"7", "n\"q"=>"a\\b", "none"=>NULL)");
    CHECK(in_hstore("keys: [none, 'n\"q', other], delete: true", value) == R"("id"=>"7", "name"=>"Keller")");
    CHECK(in_hstore("keys: [id, name, none, 'n\"q'], delete: true", value).empty());
    CHECK(in_hstore("key: name, delete: true", "").empty());
    CHECK(in_hstore("keys: [name, none, other], set: 'x\"y'", value) ==
          R"("id"=>"7", "n\"q"=>"a\\b", "name"=>"x\"y", "none"=>"x\"y")");
    CHECK(in_hstore("key: id, set: 0", value) == R"("id"=>"0", "n\"q"=>"a\\b", "name"=>"Keller", "none"=>NULL)");
    CHECK(in_hstore("key: id, set: ''", R"("id"=>"7")") == R"("id"=>"")");
    for (const char* edit : {"delete: true", "set: none"})
        for (const char* bad :
             {"canary", R"("canary")", R"("a"=>canary)", R"("a"=>"b" canary)", R"("a"=>"canary)", R"("a"=>"b", )"}) {
            const std::string error = error_of([&] { (void)in_hstore(std::string("key: a, ") + edit, bad); });
            CHECK(contains(error, "unable to apply rule"));
            CHECK_FALSE(contains(error, "canary"));
        }
    for (const char* twice : {"key: a, delete: true, set: b", "key: a, set: b, transform: {type: mask}",
                              "key: a, delete: true, transform: {type: mask}"})
        CHECK(contains(error_of([&] { OneTransform("hstore", twice, hstore_type); }),
                       "more than one of 'transform', 'delete' and 'set'"));
}

TEST_CASE("a random value inside JSON, an array or hstore is refused in a key as elsewhere") {
    const auto error = [](const std::string& parameters, ColumnType type) {
        const RelationPtr table = relation("t", {column("c", type, false, element_of(type))}, ReplicaIdentity::full);
        return error_of([&] {
            (void)load("tables: {t: [{type: transform, column: c, parameters: {" + parameters + "}}]}")->compile(table);
        });
    };
    const std::string inner = "transform: {type: uuid, random: true}";
    CHECK(contains(error("type: json, path: $.a, " + inner, jsonb_type), "a random value would not be found again"));
    CHECK(contains(error("type: array, " + inner, text_array_type), "a random value would not be found again"));
    CHECK(contains(error("type: hstore, key: a, " + inner, hstore_type), "a random value would not be found again"));
}
