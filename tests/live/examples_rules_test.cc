// The rules of examples/masking that come from other tools' guides, against tables as these guides have them, and
// against their names for it on the page.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/postgres_server.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

using namespace pgsluice::test;

namespace {

Finished check_rules(const std::string& database, const std::string& name) {
    return run({PGSLUICE_BINARY, "check", "rules", "--source-url", shared_postgres().url(database), "--rules-config",
                PGSLUICE_SOURCE_DIR "/examples/masking/" + name, "--sample", "5"},
               {{"SHOP_SECRET", "a-long-secret-of-your-own-0123456789"}});
}

}  // namespace

TEST_CASE("examples: Kasho's rules for a shop hide what they name, and what refers to it") {
    auto& server = shared_postgres();
    const std::string database = server.create_database();
    server.sql(database, R"(
        CREATE TABLE customers (id int PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL, email text UNIQUE,
            phone text, street_address text, city text, state varchar(2), zip_code varchar(10));
        CREATE TABLE orders (id int PRIMARY KEY, customer_email text REFERENCES customers (email), billing_address text);
        CREATE TABLE payments (id int PRIMARY KEY, cardholder_name text, card_number varchar(19));
        CREATE TABLE credit_cards (id int PRIMARY KEY, cardholder_name text, card_number varchar(19), cvv char(3));
        CREATE TABLE users (id int PRIMARY KEY, ssn char(11), company text, ip_address text, password text);
        INSERT INTO customers VALUES (1, 'Ottilie', 'Zwicknagl', 'ottilie@canary.test', '+49 89 5550123',
            'Canary Lane 7', 'Zwiesel', 'TX', '94227');
        INSERT INTO orders VALUES (1, 'ottilie@canary.test', 'Canary Lane 8');
        INSERT INTO payments VALUES (1, 'Ottilie Zwicknagl', '4556737586899855');
        INSERT INTO credit_cards VALUES (1, 'Ottilie Zwicknagl', '4556737586899855', '917');
        INSERT INTO users VALUES (1, '078-05-1120', 'Zwicknagl Ltd', '203.0.113.99', 'canary password');
    )");
    const Finished checked = check_rules(database, "kasho.yaml");
    INFO(checked.out << checked.err);
    CHECK(checked.code == 0);
    CHECK(contains(checked.out, "XXX-XX-1120"));
    CHECK(contains(checked.out, "public.orders.customer_email"));
    CHECK(contains(checked.out, "inherited"));
}

TEST_CASE("examples: pgstream's rules, with a first name that goes by another column") {
    auto& server = shared_postgres();
    const std::string database = server.create_database();
    server.sql(database, R"(
        CREATE TABLE test (id int PRIMARY KEY, name text, sex text, email text UNIQUE, document_path text UNIQUE,
            phone text UNIQUE);
        INSERT INTO test VALUES (1, 'Ottilie', 'Female', 'ottilie@canary.test', '/canary/1', '+49 89 5550123'),
            (2, 'Xaver', 'Male', 'xaver@canary.test', '/canary/2', '+49 89 5550124'),
            (3, 'Kim', NULL, 'kim@canary.test', '/canary/3', '+49 89 5550125');
    )");
    const Finished checked = check_rules(database, "pgstream.yaml");
    INFO(checked.out << checked.err);
    CHECK(checked.code == 0);
    CHECK(contains(checked.out, "@canary.test"));
}
