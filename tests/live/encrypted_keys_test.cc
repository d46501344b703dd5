// encrypt, encrypt_digits and encrypt_number on keys and what refers to them, and the way back; password_hash, with
// which one logs in. All on real servers.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/hint.h"
#include "tests/support/pipeline.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

const std::map<std::string, std::string> secret{{"PGSLUICE_TEST_SECRET", "a secret"}};

constexpr const char* rules_text = R"(
secret_env: PGSLUICE_TEST_SECRET
tables:
  customers:
    - {type: transform, column: id, parameters: {type: encrypt_number}}
    - {type: transform, column: email, parameters: {type: encrypt}}
    - {type: transform, column: iban, parameters: {type: encrypt_digits}}
    - {type: transform, column: password, parameters: {type: password_hash, password: "Ömür, let me in", cost: 4, variant: 2a}}
)";

constexpr const char* tables = R"(
    CREATE TABLE customers (id bigint PRIMARY KEY, email text UNIQUE, iban varchar(40), password text);
    CREATE TABLE orders (id int PRIMARY KEY, customer bigint REFERENCES customers,
                         invoice_to text REFERENCES customers (email) ON UPDATE CASCADE);)";

constexpr const char* rows = R"(
    INSERT INTO customers VALUES (1, 'canary@example.com', 'DE89 3704 0044 0532 0130 00', '$2b$12$canary'),
        (-4200000000, 'Ömür "canary"', 'NL91 ABNA 0417 1643 00', NULL), (999999999999999999, '', '123456', ''),
        (2147483647, 'ÿ日本', 'canary 0000000', 'plain');
    INSERT INTO orders VALUES (1, 1, 'canary@example.com'), (2, -4200000000, ''), (3, 999999999999999999, NULL),
        (4, NULL, 'Ömür "canary"');)";

// The column of the target's rows, by the order of the source's, through `pgsluice decrypt`.
Finished decrypted(const TextFile& rules, const std::string& column, const std::string& lines,
                   const std::string& more = "") {
    const TextFile input(lines + "\n", "lines");
    return run({"/bin/sh", "-c",
                std::string("exec ") + PGSLUICE_BINARY + " decrypt --rules-config " + rules.path() + " --column " +
                    column + more + " < " + input.path()},
               secret);
}

std::string sorted(Pipeline& pipeline, bool on_source, const std::string& column, const std::string& table) {
    const std::string query =
        "SELECT string_agg(" + column + "::text, E'\\n' ORDER BY " + column + "::text COLLATE \"C\") FROM " + table;
    return on_source ? pipeline.source_scalar(query) : pipeline.target_scalar(query);
}

std::vector<std::string> sorted_lines(const std::string& text) {
    std::vector<std::string> lines{""};
    for (const char c : text) {
        if (c == '\n')
            lines.emplace_back();
        else
            lines.back() += c;
    }
    std::ranges::sort(lines);
    return lines;
}

struct Shop {
    Shop() {
        pipeline.on_both(tables);
        pipeline.on_target("CREATE EXTENSION pgcrypto");
        pipeline.on_source(rows);
        pipeline.start_replicator();
        pipeline.start_worker({"--rules-config", rules.path()}, secret);
        pipeline.settle();
        pipeline.on_source(
            "UPDATE customers SET email = 'canary 2' WHERE id = 1; UPDATE orders SET customer = 1 WHERE id = 4");
        pipeline.on_source(
            "INSERT INTO customers VALUES (5, 'five', '555555', 'x'); DELETE FROM customers WHERE id = 5");
        pipeline.settle();
    }

    TextFile rules{rules_text};
    Pipeline pipeline;
};

}  // namespace

TEST_CASE("what encrypt, encrypt_digits and encrypt_number made of keys comes back, and foreign keys hold") {
    Shop shop;
    Pipeline& pipeline = shop.pipeline;
    // The target checks both foreign keys.
    CHECK(pipeline.target_scalar("SELECT count(*) FROM orders JOIN customers ON customers.id = customer") == "4");
    CHECK(pipeline.target_scalar("SELECT count(*) FROM orders JOIN customers ON email = invoice_to") == "3");
    CHECK(pipeline.target_scalar("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == "2");
    CHECK_FALSE(contains(pipeline.target_scalar("SELECT string_agg(c::text, ' ') FROM customers c"), "canary@"));
    for (const std::string column : {"id", "email", "iban"}) {
        CAPTURE(column);
        const std::string made = sorted(pipeline, false, column, "customers");
        const std::string was = sorted(pipeline, true, column, "customers");
        CHECK(sorted_lines(made) != sorted_lines(was));
        const Finished back = decrypted(shop.rules, "customers." + column, made);
        must_succeed(back);
        CHECK(sorted_lines(back.out.substr(0, back.out.size() - 1)) == sorted_lines(was));
    }
    pipeline.stop();
}

TEST_CASE("decrypt of a column that inherits its rules along a foreign key says whose they are") {
    Shop shop;
    const std::string made = sorted(shop.pipeline, false, "customer", "orders");
    const Finished refused = decrypted(shop.rules, "orders.customer", made);
    CHECK(refused.code == 2);
    CHECK(contains(refused.err, "has no rules for table 'orders'"));
    CHECK(contains(hint_in(refused.err), "give --column the one that it refers to, or --source-url"));
    const auto was = sorted_lines(sorted(shop.pipeline, true, "customer", "orders") + "\n");
    const Finished by_the_other = decrypted(shop.rules, "customers.id", made);
    must_succeed(by_the_other);
    CHECK(sorted_lines(by_the_other.out) == was);

    const std::string source = " --source-url '" + shop.pipeline.source_url() + "'";
    for (const char* column : {"orders.customer", "public.orders.customer"}) {
        const Finished by_keys = decrypted(shop.rules, column, made, source);
        must_succeed(by_keys);
        CHECK(sorted_lines(by_keys.out) == was);
    }
    // Over two keys, the second of another schema, and of a table with rules of its own.
    shop.pipeline.on_source(
        "CREATE SCHEMA crm; CREATE TABLE crm.accounts (customer bigint PRIMARY KEY REFERENCES customers);"
        "CREATE TABLE crm.notes (customer bigint REFERENCES crm.accounts, line text)");
    TextFile with_notes(std::string(rules_text) +
                        "  notes: [{type: transform, column: line, parameters: {type: mask}}]");
    CHECK(decrypted(with_notes, "notes.customer", made).code == 2);
    const Finished by_two = decrypted(with_notes, "notes.customer", made, source);
    must_succeed(by_two);
    CHECK(sorted_lines(by_two.out) == was);
    // What no key makes reversible is refused as without, and a column with rules of its own needs no source.
    const Finished none = decrypted(shop.rules, "orders.id", made, source);
    CHECK(none.code == 2);
    CHECK(contains(none.err, "unable to decrypt column 'orders.id': no transform is for it"));
    must_succeed(decrypted(shop.rules, "customers.id", made, " --source-url postgres://nobody@127.0.0.1:1/none"));
    shop.pipeline.stop();
}

TEST_CASE("with the password of password_hash anyone who had one logs in, by the target's own crypt()") {
    Shop shop;
    const auto logs_in = [&](const std::string& password) {
        return shop.pipeline.target_scalar("SELECT string_agg(coalesce(crypt('" + password +
                                           "', password) = password, NULL)::text, ' ') || ' ' || "
                                           "count(*) FILTER (WHERE password IS NULL) FROM customers");
    };
    CHECK(logs_in("Ömür, let me in") == "true true true 1");
    CHECK(logs_in("Ömür, let me in ") == "false false false 1");
    CHECK(logs_in("plain") == "false false false 1");
    CHECK(shop.pipeline.target_scalar("SELECT string_agg(DISTINCT left(password, 7), ' ') FROM customers") ==
          "$2a$04$");
    shop.pipeline.stop();
}
