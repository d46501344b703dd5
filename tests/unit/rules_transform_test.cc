#include <doctest/doctest.h>

#include "tests/unit/rules_fixture.h"

#include <cstdlib>

#include "rules/transforms/hmac.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;

namespace {

// What `parameters` make of one value.
Value transform(const std::string& parameters, const Value& value, ColumnType type = text_type) {
    static Arena arena;
    static std::vector<Values> rows;
    const RelationPtr table = relation("t", {column("c", type)});
    const auto compiled =
        load("tables: {t: [{type: transform, column: c, parameters: " + parameters + "}]}")->compile(table);
    rows.push_back({value});
    Change change = insert(table, rows.back());
    const bool passes = compiled->apply(change, arena);
    REQUIRE(passes);
    return change.new_row[0].is_text() ? Value(arena.copy(change.new_row[0].text())) : change.new_row[0];
}

std::string regex(const std::string& pattern, const std::string& replace, std::string_view value) {
    return std::string(
        transform("{type: regex, pattern: '" + pattern + "', replace: '" + replace + "'}", Value(value)).text());
}

}  // namespace

TEST_CASE("mask keeps the first and the last character") {
    const struct {
        const char* from;
        const char* to;
    } cases[] = {{"john@example.com", "j**************m"},
                 {"abc", "a*c"},
                 {"ab", "**"},
                 {"a", "*"},
                 {"", ""},
                 {"äöü", "ä*ü"},
                 {"日本", "**"},
                 {"日本語です", "日***す"},
                 {"😀a😀", "😀*😀"}};
    for (const auto& one : cases) CHECK(transform("{type: mask}", text(one.from)) == text(one.to));
    CHECK(transform("{type: mask, mask_char: •}", text("abcd")) == text("a••d"));
    CHECK(transform("{type: mask, mask_char: '#'}", text("abcd"), varchar_type) == text("a##d"));
}

TEST_CASE("the blanks of a char(n) are not characters to keep") {
    CHECK(transform("{type: mask}", text("ab        "), char_type) == text("**"));
    CHECK(transform("{type: mask}", text("abc       "), char_type) == text("a*c"));
}

TEST_CASE("regex replaces all matches") {
    CHECK(regex("[0-9]", "#", "a1b22") == "a#b##");
    CHECK(regex("([a-z]+)@([a-z]+)", "$2 at $1", "me@here you@there") == "here at me there at you");
    CHECK(regex("([a-z]+)@([a-z]+)", "\\2 at ${1}x", "me@here") == "here at mex");
    CHECK(regex("(?P<user>[a-z]+)@", "${user}+", "me@here") == "me+here");
    CHECK(regex("a", "$$\\\\", "a") == "$\\");
    CHECK(regex("a(x)?", "[$1]", "a") == "[]");
    CHECK(regex("x", "y", "abc") == "abc");
    CHECK(regex("^a", "x", "aaa") == "xaa");
    CHECK(regex(".", "x", "äö") == "xx");
}

TEST_CASE("empty matches") {
    CHECK(regex("", "-", "ab") == "-a-b-");
    CHECK(regex("", "-", "ä") == "-ä-");
    CHECK(regex("a*", "x", "baac") == "xbxcx");
    CHECK(regex("b*", "x", "") == "x");
}

TEST_CASE("a regex that would backtrack for ever stays linear") {
    std::string value(1 << 20, 'a');
    value += 'b';
    CHECK(regex("(a+)+$", "x", value) == value);
}

TEST_CASE("a regex whose matches search the rest again and again is given up") {
    const std::string value(256 << 10, 'a');
    CHECK(error_of([&] { (void)regex("a.*b|a", "x", value); }).find("s of CPU time on one value") != std::string::npos);
    CHECK(regex("a", "x", value) == std::string(value.size(), 'x'));
}

TEST_CASE("invalid UTF-8 passes where no rule reads it, and is an error where one does") {
    const RelationPtr table = relation("t", {column("a", text_type), column("b", text_type)});
    const auto compiled = load("tables: {t: [{type: transform, column: b, parameters: {type: mask}}]}")->compile(table);
    Arena arena;
    const Values unread{text("canary\xff"), text("abc")};
    Change passes = insert(table, unread);
    REQUIRE(compiled->apply(passes, arena));
    CHECK(passes.new_row[0] == unread[0]);
    for (const char* bad : {"canary\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "ab\xc3", "\x80"}) {
        const Values row{text("x"), text(bad)};
        Change change = insert(table, row);
        const std::string error = error_of([&] { compiled->apply(change, arena); });
        CHECK(error.find("not valid UTF-8") != std::string::npos);
        CHECK(error.find("canary") == std::string::npos);
    }
}

TEST_CASE("null, constant, redact and truncate") {
    CHECK(transform("{type: 'null'}", text("x"), integer_type) == null);
    CHECK(transform("{type: constant, value: x}", text("secret")) == text("x"));
    CHECK(transform("{type: constant, value: x}", null) == text("x"));
    CHECK(transform("{type: constant, value: ''}", text("secret")) == text(""));
    CHECK(transform("{type: constant, value: true}", text("f"), boolean_type) == text("t"));
    CHECK(transform("{type: constant, value: 0}", text("42"), integer_type) == text("0"));
    CHECK(transform("{type: constant, value: '{}'}", text("[1]"), jsonb_type) == text("{}"));
    CHECK(transform("{type: redact}", text("x")) == text("********"));
    CHECK(transform("{type: redact}", text("")) == text("********"));
    CHECK(transform("{type: redact}", null) == null);
    CHECK(transform("{type: redact, length: 3, mask_char: •}", text("secret")) == text("•••"));
    CHECK(transform("{type: truncate, length: 2}", text("äöü")) == text("äö"));
    CHECK(transform("{type: truncate, length: 9}", text("äöü")) == text("äöü"));
    CHECK(transform("{type: truncate, length: 0}", text("äöü")) == text(""));
}

TEST_CASE("constants that the type cannot take are refused") {
    const struct {
        ColumnType type;
        const char* value;
    } cases[] = {{integer_type, "x"},    {integer_type, "1.5"},   {integer_type, "2147483648"},
                 {integer_type, "+1"},   {integer_type, "007"},   {numeric_type, "1,5"},
                 {numeric_type, ".5"},   {boolean_type, "maybe"}, {date_type, "2024-02-30"},
                 {uuid_type, "x"},       {jsonb_type, "{"},       {bytea_type, "abc"},
                 {timetz_type, "25:00"}, {interval_type, "soon"}};
    for (const auto& one : cases) {
        CAPTURE(one.value);
        const std::string parameters = std::string("{type: constant, value: '") + one.value + "'}";
        CHECK(error_of([&] { transform(parameters, null, one.type); }).find("of 'value'") != std::string::npos);
    }
}

TEST_CASE("a result longer than the column is refused") {
    Column narrow = column("c", varchar_type);
    narrow.typmod = 4 + 7;
    const RelationPtr table = relation("t", {narrow});
    const auto error = [&](const std::string& parameters) {
        return error_of([&] {
            (void)load("tables: {t: [{type: transform, column: c, parameters: " + parameters + "}]}")->compile(table);
        });
    };
    CHECK(error("{type: redact}").find("8 characters, but the column holds 7") != std::string::npos);
    CHECK(error("{type: redact, length: 7}").empty());
    CHECK(error("{type: constant, value: 12345678}").find("8 characters") != std::string::npos);
}

TEST_CASE("HMAC-SHA-256 as RFC 4231 has it") {
    const auto hex = [](const rules::Hmac::Digest& digest) {
        std::string out;
        for (const unsigned char byte : digest) {
            out += "0123456789abcdef"[byte >> 4];
            out += "0123456789abcdef"[byte & 15];
        }
        return out;
    };
    CHECK(hex(rules::Hmac(std::string(20, '\x0b')).digest("Hi There")) ==
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(hex(rules::Hmac("Jefe").digest("what do ya want for nothing?")) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(hex(rules::Hmac(std::string(131, '\xaa')).digest("Test Using Larger Than Block-Size Key - Hash Key First")) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("hash") {
    setenv("PGSLUICE_TEST_SECRET", "Jefe", 1);
    const TextFile file("Jefe\n", "secret");
    const std::string whole = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    const Value value = text("what do ya want for nothing?");
    CHECK(transform("{type: hash, secret_env: PGSLUICE_TEST_SECRET}", value) == Value(whole));
    CHECK(transform("{type: hash, secret_file: " + file.path() + "}", value) == Value(whole));
    CHECK(transform("{type: hash, secret_file: " + file.path() + ", length: 9}", value) == text("5bdcc146b"));
    CHECK(transform("{type: hash, secret_file: " + file.path() + "}", value, uuid_type) ==
          text("5bdcc146-bf60-754e-6a04-2426089575c7"));
    CHECK(transform("{type: hash, secret_file: " + file.path() + ", length: 8}", value, bytea_type) ==
          text("\\x5bdcc146"));
    CHECK(transform("{type: hash, secret_file: " + file.path() + "}", null) == null);
    const Value padded = transform("{type: hash, secret_file: " + file.path() + "}", text("abc   "), char_type);
    CHECK(padded == transform("{type: hash, secret_file: " + file.path() + "}", text("abc")));
    unsetenv("PGSLUICE_TEST_SECRET");
}

TEST_CASE("the secret may stand at the top of the file, and is never shown") {
    const TextFile file("s3cret-canary", "secret");
    const RelationPtr table = relation("t", {column("c", text_type, true)});
    const auto compiled =
        load("secret_file: " + file.path() + "\ntables: {t: [{type: transform, column: c, parameters: {type: hash}}]}")
            ->compile(table);
    for (const std::string& line : compiled->describe()) CHECK(line.find("canary") == std::string::npos);
    for (const char* parameters :
         {"{type: hash}", "{type: hash, secret_env: s3cret-canary}", "{type: hash, secret_file: s3cret-canary}",
          "{type: hash, secret_env: a, secret_file: s3cret-canary}", "{type: hash, secret_file: /}",
          "{type: hash, length: 4}"}) {
        const std::string error = error_of([&] { transform(parameters, text("x")); });
        CHECK_FALSE(error.empty());
        CHECK(error.find("canary") == std::string::npos);
    }
}

TEST_CASE("hash is fit for keys when it is long enough") {
    const TextFile file("Jefe", "secret");
    const RelationPtr table = relation("t", {column("c", text_type, true)});
    const auto compile = [&](const char* length) {
        return error_of([&] {
            (void)load("tables: {t: [{type: transform, column: c, parameters: {type: hash, secret_file: " +
                       file.path() + length + "}}]}")
                ->compile(table);
        });
    };
    CHECK(compile("").empty());
    CHECK(compile(", length: 32").empty());
    CHECK(compile(", length: 31").find("allow_uniqueness_loss") != std::string::npos);
}
