// encrypt, encrypt_digits, encrypt_number: as the standards say, back and forth, and the same for every column's type.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "rules/rules_files.h"
#include "rules/transforms/reversible/ff1.h"
#include "rules/transforms/reversible/siv.h"
#include "rules/transforms/transform.h"
#include "tests/support/text.h"
#include "tests/unit/transform_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::contains;

namespace {

std::string bytes_of(const std::string& hex) {
    std::string out;
    for (std::size_t i = 0; i < hex.size(); i += 2) out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return out;
}

std::string hex_of(const std::string& bytes) {
    std::string out;
    for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return out;
}

const std::string nist_key = "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94";

std::string ff1(std::size_t key_bytes, const std::string& tweak, std::string digits) {
    rules::Ff1(bytes_of(nist_key).substr(0, key_bytes), tweak).encrypt(digits);
    return digits;
}

// The rule's transform by itself, for the way back.
struct Rule {
    explicit Rule(const std::string& type, const std::string& secret = example_secret)
        : secret_file(secret, "secret"),
          rules_file("secret_file: " + secret_file.path() +
                     "\ntables: {t: [{type: transform, column: c, parameters: {type: " + type + "}}]}"),
          files(read_rules_files({rules_file.path(), ""})) {}
    [[nodiscard]] std::string undone(std::string_view text) const {
        return files.rules.tables[0].rules[0].transform->undone(text).value();
    }

    TextFile secret_file;
    TextFile rules_file;
    RulesFiles files;
};

std::string unreadable(const Rule& rule, std::string_view text) {
    try {
        (void)rule.undone(text);
        return {};
    } catch (const rules::Unreadable& error) {
        return error.reason;
    }
}

std::string stopped(const std::string& type, const Column& column, std::string_view text) {
    return error_of([&] { OneTransform(type, "", column)(text); });
}

Column varchar(int length) {
    Column made = column("c", varchar_type);
    made.typmod = length + 4;
    return made;
}

}  // namespace

TEST_CASE("FF1: the samples of NIST SP 800-38G, in both directions") {
    CHECK(ff1(16, "", "0123456789") == "2433477484");
    CHECK(ff1(16, "9876543210", "0123456789") == "6124200773");
    CHECK(ff1(24, "", "0123456789") == "2830668132");
    CHECK(ff1(24, "9876543210", "0123456789") == "2496655549");
    CHECK(ff1(32, "", "0123456789") == "6657667009");
    CHECK(ff1(32, "9876543210", "0123456789") == "1001623463");
    const rules::Ff1 cipher(bytes_of(nist_key));
    for (std::size_t length = 2; length <= rules::Ff1::most_digits; ++length) {
        std::string digits(length, '7');
        cipher.encrypt(digits);
        CHECK(digits.size() == length);
        cipher.decrypt(digits);
        CHECK(digits == std::string(length, '7'));
    }
}

// By the AESSIV of Python's cryptography.
TEST_CASE("AES-SIV gives what other software gives, and opens nothing that was altered") {
    std::string key;
    for (int i = 0; i < 64; ++i) key += static_cast<char>(i);
    const rules::Siv siv(key);
    CHECK(hex_of(siv.seal("hello")) == "813b11851c893c3fc837181e3b4412c45874738a6d");
    const std::string sealed = siv.seal("The quick brown fox jumps over");
    CHECK(hex_of(sealed) ==
          "0dea86832c97005e5e1db39b6257a0564bdb31cdb6374eccdb5274e15cbaa5a2e550d7354217d3548f3ab42d15c0");
    CHECK(siv.open(sealed) == "The quick brown fox jumps over");
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string altered = sealed;
        altered[i] = static_cast<char>(altered[i] ^ 1);
        CHECK_FALSE(siv.open(altered).has_value());
    }
    CHECK_FALSE(siv.open(sealed.substr(0, sealed.size() - 1)).has_value());
    CHECK_FALSE(siv.open("").has_value());
}

TEST_CASE("encrypt: every text comes back, and only with the secret") {
    OneTransform encrypt("encrypt", "", text_type);
    const Rule rule("encrypt");
    const Rule other("encrypt", "another secret");
    for (const std::string& value : {std::string("Keller"), std::string(), std::string("日本語"),
                                     std::string(3000, 'x'), std::string("\xff\xfe"), std::string("a\nb")}) {
        const std::string made(encrypt(value));
        CHECK(made.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
              std::string::npos);
        CHECK(made == encrypt(value));
        CHECK(rule.undone(made) == value);
        CHECK(contains(unreadable(other, made), "not what this rule makes"));
        CHECK(contains(unreadable(rule, made + "A"), "not what this rule makes"));
    }
    CHECK(contains(unreadable(rule, "Keller"), "not what this rule makes"));
    CHECK(contains(unreadable(rule, ""), "not what this rule makes"));
    CHECK(contains(unreadable(rule, "+/=="), "not what this rule makes"));
}

TEST_CASE("encrypt: what is longer than its column is refused, or stops") {
    CHECK(contains(stopped("encrypt", varchar(22), ""), "23 characters, but the column holds 22"));
    CHECK(stopped("encrypt", varchar(23), "").empty());
    CHECK(contains(stopped("encrypt", varchar(31), "Kellers"), "more characters than the column holds, 31"));
    CHECK(stopped("encrypt", varchar(31), "Keller").empty());
    CHECK(contains(stopped("encrypt", column("c", integer_type), "1"), "it takes text"));
}

TEST_CASE("encrypt_digits: the digits change, the rest stays, and all comes back") {
    OneTransform encrypt("encrypt_digits", "", text_type);
    const Rule rule("encrypt_digits");
    for (const char* value : {"123456", "+49 (30) 901-820", "ä000000", "012345678901234567890123456789012345"}) {
        const std::string made(encrypt(value));
        CHECK(made != value);
        CHECK(made.size() == std::string_view(value).size());
        CHECK(rule.undone(made) == value);
    }
    for (const char* value : {"12345", "", "abc", "0123456789012345678901234567890123456"})
        CHECK(contains(stopped("encrypt_digits", column("c", text_type), value), "does not have 6 to 36 digits"));
}

TEST_CASE("encrypt_number: numbers stay different, in their range, the same in every type, and come back") {
    OneTransform encrypt("encrypt_number", "", integer_type);
    OneTransform wide("encrypt_number", "", bigint_type);
    OneTransform numeric("encrypt_number", "", numeric_type);
    const Rule rule("encrypt_number");
    std::set<std::string> seen;
    for (int i = -2000; i < 2000; ++i) {
        const std::string value = std::to_string(i);
        const std::string made(encrypt(value));
        CHECK(made.starts_with('-') == (i < 0));
        CHECK(std::abs(std::stoll(made)) <= 1'000'000'000);
        CHECK(seen.insert(made).second);
        CHECK(rule.undone(made) == value);
        CHECK(wide(value) == made);
        CHECK(numeric(value) == made);
    }
    for (const char* value : {"999999999", "-1000000000"})
        CHECK(std::abs(std::stoll(std::string(encrypt(value)))) <= 1'000'000'000);
    for (const char* value : {"1000000000", "2147483647", "-1000000001", "-2147483648"}) {
        const std::string made(encrypt(value));
        const std::int64_t number = std::stoll(made);
        CHECK((number >= INT32_MIN && number <= INT32_MAX && std::abs(number) >= 1'000'000'000));
        CHECK(rule.undone(made) == value);
    }
    for (const char* value : {"2147483648", "999999999999999999", "-1000000000000000000"}) {
        const std::string made(wide(value));
        CHECK(std::stoll(made) == std::stoll(made));
        CHECK(std::abs(std::stoll(made)) > INT32_MAX);
        CHECK(rule.undone(made) == value);
    }
    for (const char* value :
         {"1000000000000000000", "-1000000000000000001", "9223372036854775807", "1.5", "NaN", "-0", ""})
        CHECK(contains(stopped("encrypt_number", column("c", numeric_type), value), "18 digits at most"));
    Column small = column("c", numeric_type);
    small.typmod = (17 << 16) + 4;
    CHECK(contains(stopped("encrypt_number", small, "1"), "it takes integer, bigint"));
    CHECK(contains(stopped("encrypt_number", column("c", {21, "smallint"}), "1"), "it takes integer, bigint"));
    CHECK(contains(stopped("encrypt_number", column("c", double_type), "1"), "it takes integer, bigint"));
}

TEST_CASE("the three ciphers have keys of their own, and another secret is another rule") {
    OneTransform digits("encrypt_digits", "", text_type);
    OneTransform number("encrypt_number", "", integer_type);
    CHECK(digits("123456789") != number("123456789"));
    const Rule one("encrypt");
    const Rule other("encrypt", "another secret");
    CHECK(one.files.rules.tables[0].rules[0].transform->meaning() !=
          other.files.rules.tables[0].rules[0].transform->meaning());
}
