// password_hash: the forms and parameters are honoured, and other software takes what is made.
#include <doctest/doctest.h>

#include "rules/transforms/password_hash.h"
#include "tests/support/text.h"
#include "tests/unit/transform_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::contains;
using rules::hash_password;
using rules::PasswordForm;

namespace {

std::string made(const std::string& parameters, std::string_view value = "$2y$10$old") {
    return std::string(OneTransform("password_hash", parameters, text_type)(value));
}

std::string refused(const std::string& parameters, const Column& column) {
    return error_of([&] { OneTransform("password_hash", parameters, column); });
}
std::string refused(const std::string& parameters) { return refused(parameters, column("c", text_type)); }

const std::string salt("0123456789abcdef");

PasswordForm of(PasswordForm::Algorithm algorithm) {
    PasswordForm form;
    form.algorithm = algorithm;
    return form;
}

}  // namespace

// By Python's hashlib and crypt; those of Argon2id by OpenSSL 4.0.
TEST_CASE("hashes of passwords are those that other software makes with the same salt") {
    PasswordForm form = of(PasswordForm::Algorithm::bcrypt);
    form.cost = 5;
    CHECK(hash_password(form, "let me in", salt) == "$2b$05$KBCwKxOzLha2MUDgW0PjXe1QLLbe.k8DDFXysaFcaX2CCjnIkjvX6");
    form.cost = 4;
    CHECK(hash_password(form, "pässword", salt) == "$2b$04$KBCwKxOzLha2MUDgW0PjXeOFNhhE26rSq5ykPKV1b1AA/mfxHit1m");
    form = of(PasswordForm::Algorithm::scrypt);
    form.n = 1024;
    form.r = 4;
    form.p = 2;
    CHECK(hash_password(form, "let me in", salt) ==
          "$scrypt$ln=10,r=4,p=2$MDEyMzQ1Njc4OWFiY2RlZg$mleBGlwardWZxpRjspCrmt2+Kvt2qvNso6Nl6JB7hHg");
    form = of(PasswordForm::Algorithm::pbkdf2);
    form.iterations = 1000;
    CHECK(hash_password(form, "let me in", salt) ==
          "$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$RzaDMNuPblIjw5RqZOSryqMwhIxaGXdKF7X1mpOzco0");
    form.digest = "sha512";
    CHECK(hash_password(form, "let me in", salt) ==
          "$pbkdf2-sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg$TAevvntS5agksWk."
          "HP4d5Z2OBepa3gE6h4pd8iQlKCPQ9tlMrV2cgE7Hm6JzWyGmvhMi9qkyiYp6gq7IPhrmBw");
    form.digest = "sha1";
    CHECK(hash_password(form, "let me in", salt) == "$pbkdf2$1000$MDEyMzQ1Njc4OWFiY2RlZg$wThX3dmhLAiu3DmC2m1FhBnLPdI");
    form.digest = "sha256";
    form.django = true;
    CHECK(hash_password(form, "let me in", salt) ==
          "pbkdf2_sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$Sb48qWCXWCVWzyw3k/tftDm9tC02o9nbRsDM/xc8hZA=");
    form = of(PasswordForm::Algorithm::argon2id);
    form.p = 4;
    CHECK(hash_password(form, "password", salt) ==
          "$argon2id$v=19$m=65536,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$uKZLaN6muIyoyIYr5waqw3y+zaDbe9aLSPj6Ln/rbz4");
    form.m = 8;
    form.p = form.t = 1;
    CHECK(hash_password(form, "Ömür, let me in", salt) ==
          "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$/raGGDtbQQsNdL2ryOCRM9mUQyGpKWSXeTvT+X5U2sw");
    form.m = 64;
    form.p = form.t = 2;
    CHECK(hash_password(form, "password", salt) ==
          "$argon2id$v=19$m=64,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$KzY0shwac7WdDSXS7D8RdfNN9PJf0xghZnmkY8y2pVw");
    form.m = 256;
    form.t = 4;
    form.p = 3;
    CHECK(hash_password(form, "password", "somesaltsomesalt") ==
          "$argon2id$v=19$m=256,t=4,p=3$c29tZXNhbHRzb21lc2FsdA$Trn7V/RkchjQhwOAPHRe2KZnaSojVAKJ03D3uEkjdwc");
}

TEST_CASE("a hash of a password is the same in every row, and NULL stays") {
    OneTransform one("password_hash", "password: x, cost: 4", text_type);
    const std::string hash(one("a"));
    CHECK(hash.starts_with("$2b$04$"));
    CHECK(one("b") == hash);
    CHECK(one("") == hash);
    CHECK(made("password: x, cost: 4") == hash);
    CHECK(made("password: y, cost: 4") != hash);
    CHECK(made("password: x, cost: 5").starts_with("$2b$05$"));
    CHECK(made("password: x, cost: 4, variant: 2b") == hash);
    CHECK(made("password: x, cost: 4, variant: 2a").starts_with("$2a$04$"));
    CHECK(made("password: x, cost: 4, variant: 2y").starts_with("$2y$04$"));
    CHECK(made("password: x, algorithm: scrypt, n: 16, r: 2, p: 3").starts_with("$scrypt$ln=4,r=2,p=3$"));
    CHECK(made("password: x, algorithm: pbkdf2, iterations: 7, digest: sha512").starts_with("$pbkdf2-sha512$7$"));
    CHECK(made("password: x, algorithm: argon2id, m: 32, t: 2, p: 3").starts_with("$argon2id$v=19$m=32,t=2,p=3$"));
    CHECK(made("password: x, algorithm: argon2id").starts_with("$argon2id$v=19$m=65536,t=3,p=4$"));
    CHECK(made("password: x, algorithm: argon2id, m: 32") != made("password: y, algorithm: argon2id, m: 32"));
}

// The server cuts a name to 63 bytes without a word, and nobody logs in.
TEST_CASE("a hash that a column of type name would cut is refused") {
    const Column name = column("c", {19, "name"});
    CHECK(contains(refused("password: x, algorithm: scrypt, n: 16", name), "but the column holds 63"));
    CHECK(refused("password: x, cost: 4", name).empty());
    CHECK(contains(error_of([&] { OneTransform("hash", "", name); }), "has 64 characters, but the column holds 63"));
    CHECK(error_of([&] { OneTransform("hash", "length: 63", name); }).empty());
    CHECK(contains(error_of([&] {
                       OneTransform("constant", "value: ab", column("c", {18, "\"char\""}));
                   }),
                   "has 2 characters, but the column holds 1"));
}

TEST_CASE("what a hash of a password cannot be is refused, and shows no password") {
    const std::string of_bcrypt = "password: canary, cost: ";
    CHECK(contains(refused(of_bcrypt + "3"), "at least 4"));
    CHECK(contains(refused(of_bcrypt + "21"), "'cost' is above 20"));
    CHECK(contains(refused("cost: 4"), "'password' is missing"));
    CHECK(contains(refused("password: ''"), "'password' is empty"));
    CHECK(contains(refused("password: " + std::string(73, 'x') + ", cost: 4"), "more than 72 bytes"));
    CHECK(refused("password: " + std::string(72, 'x') + ", cost: 4").empty());
    CHECK(contains(refused("password: x, algorithm: scrypt, n: 1000"), "not a power of 2"));
    CHECK(contains(refused("password: x, algorithm: scrypt, n: 16777216"), "1 GiB"));
    CHECK(contains(refused("password: x, algorithm: scrypt, cost: 4"), "unknown key 'cost'"));
    CHECK(contains(refused("password: x, algorithm: pbkdf2, iterations: 0"), "at least 1"));
    const std::string of_argon2 = "password: x, algorithm: argon2id, ";
    CHECK(contains(refused(of_argon2 + "m: 7"), "at least 8"));
    CHECK(contains(refused(of_argon2 + "m: 31"), "'m' is below 8 KiB for each of the 4 lanes"));
    CHECK(contains(refused(of_argon2 + "m: 1048577"), "'m' is above 1048576"));
    CHECK(contains(refused(of_argon2 + "t: 0"), "at least 1"));
    CHECK(contains(refused(of_argon2 + "t: 101"), "'t' is above 100"));
    CHECK(contains(refused(of_argon2 + "p: 0"), "at least 1"));
    CHECK(contains(refused(of_argon2 + "p: 65"), "'p' is above 64"));
    CHECK(contains(refused(of_argon2 + "n: 16"), "unknown key 'n'"));
    CHECK(contains(refused("password: x, cost: 4", column("c", integer_type)), "it takes text"));
    Column narrow = column("c", varchar_type);
    narrow.typmod = 59 + 4;
    CHECK(contains(refused("password: x, cost: 4", narrow), "60 characters, but the column holds 59"));
    CHECK_FALSE(contains(refused(of_bcrypt + "4", column("c", integer_type)), "canary"));
    OneTransform one("password_hash", "password: canary, cost: 4", text_type);
    for (const std::string& line : one.compiled().describe()) CHECK_FALSE(contains(line, "canary"));
}
