// `pgsluice decrypt`, but for its reading and printing.
#include <doctest/doctest.h>

#include "cmd/commands/decrypt.h"
#include "rules/rules_files.h"
#include "tests/support/text.h"
#include "tests/unit/transform_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::contains;

namespace {

struct Files {
    explicit Files(const std::string& email, const std::string& secret = example_secret)
        : secret_file(secret, "secret"),
          rules_file("secret_file: " + secret_file.path() +
                     "\ntables: {shop.users: [{type: keep, column: id}, {type: transform, column: note, parameters: "
                     "{type: mask}}, " +
                     email + "]}"),
          files(read_rules_files({rules_file.path(), ""})) {}
    [[nodiscard]] std::string decrypt(const std::string& column, const std::string& value) const {
        return decrypted(files.rules, column, value);
    }

    TextFile secret_file;
    TextFile rules_file;
    RulesFiles files;
};

const std::string encrypted_email = "{type: transform, column: email, parameters: {type: encrypt}}";
const std::string twice = "{type: transform, column: email, parameters: {type: encrypt_digits}}, " + encrypted_email;

}  // namespace

TEST_CASE("decrypt: every transform of the column is undone, the last one first") {
    OneTransform encrypt("encrypt", "", text_type);
    OneTransform digits("encrypt_digits", "", text_type);
    const std::string value = "a1234567@example.com";
    CHECK(Files(encrypted_email).decrypt("shop.users.email", std::string(encrypt(value))) == value);
    const std::string inner(digits(value));
    CHECK(Files(twice).decrypt("shop.users.email", std::string(encrypt(inner))) == value);
}

TEST_CASE("decrypt: what it refuses, it takes once its hint is followed") {
    OneTransform encrypt("encrypt", "", text_type);
    const Files files(encrypted_email);
    const std::string made(encrypt("Keller"));
    const auto error = [&](const std::string& column) { return error_of([&] { (void)files.decrypt(column, made); }); };
    CHECK(contains(error("email"), "HINT: Write table.column, or schema.table.column."));
    CHECK(contains(error("crm.users.email"), "HINT: Name the table in --column as the rules file does."));
    CHECK(contains(error("shop.users.note"), "HINT: Only what encrypt, encrypt_digits and encrypt_number make"));
    CHECK(contains(error("shop.users.id"), "no transform is for it"));
    CHECK(error("shop.users.email").empty());
    CHECK(error("users.email").empty());
    const Files other(encrypted_email, "another secret");
    CHECK_THROWS_AS((void)other.decrypt("shop.users.email", made), rules::Unreadable);
}

TEST_CASE("decrypt: a table that is named without its schema may be that of several entries that agree") {
    OneTransform encrypt("encrypt", "", text_type);
    const std::string made(encrypt("Keller"));
    const TextFile secret_file(example_secret, "secret");
    const auto result = [&](const std::string& crm) {
        const TextFile file("secret_file: " + secret_file.path() + "\ntables: {users: [{type: keep, column: id}], " +
                            "shop.users: [" + encrypted_email + "], crm.users: [" + crm + "]}");
        return decrypted(read_rules_files({file.path(), ""}).rules, "users.email", made);
    };
    CHECK(result(encrypted_email) == "Keller");
    CHECK(result("{type: keep, column: id}") == "Keller");
    const std::string digits = "{type: transform, column: email, parameters: {type: encrypt_digits}}";
    const std::string error = error_of([&] { (void)result(digits); });
    CHECK(contains(error, "--column 'users.email' does not name one table and a column"));
    CHECK(contains(error, "HINT: Write table.column, or schema.table.column."));
}
