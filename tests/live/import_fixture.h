// A source with tables of every kind, dumps of it, and a target with its schema.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/pipeline.h"
#include "tests/support/postgres_programs.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

namespace pgsluice::test {

inline constexpr const char* import_tables = R"sql(
CREATE TYPE mood AS ENUM ('sad', 'it''s ok, fine');
CREATE DOMAIN email AS varchar(80) CHECK (value <> 'x');
CREATE SCHEMA "Odd ""S""";
CREATE TABLE users (id bigserial PRIMARY KEY, name text, email email UNIQUE, m mood, tags text[], raw bytea, j jsonb,
    n numeric(12,3), f float8, ts timestamptz, iv interval, ok boolean, bits bit varying(10), ch char(5), money money,
    x xml, dbl int GENERATED ALWAYS AS (1 + 2) STORED);
INSERT INTO users (name, email, m, tags, raw, j, n, f, ts, iv, ok, bits, ch, money, x)
    SELECT CASE WHEN g % 7 = 0 THEN NULL WHEN g % 5 = 0 THEN ''
            ELSE 'canary ' || g || E'\t\n\r\\ ''"x"; \\. $$' END,
        'canary' || g || '@example.com', 'it''s ok, fine', ARRAY['a,b', '{"x"}', NULL, E'\\'],
        decode(md5(g::text), 'hex'), '{"a": [1, "\u00e4"]}', g / -3.0, 1 / g::float8,
        '2024-01-01'::timestamptz + g * '1h'::interval, '1 year 2 days 03:04:05.5', g % 2 = 0, B'0101', 'ab', 12.5,
        '<a>b</a>' FROM generate_series(1, 2000) g;
CREATE TABLE "Odd ""S"""."T able.é" ("a;b" int PRIMARY KEY, "(c)" text, "--d" text);
INSERT INTO "Odd ""S"""."T able.é" VALUES (1, NULL, 'x'), (2, '', '\.'), (3, '\N', '');
CREATE TABLE first_null (a text, b int);
INSERT INTO first_null VALUES (NULL, 1), ('', NULL), ('\.', 3), (E'a\nb', 4);
CREATE TABLE one (a text);
INSERT INTO one VALUES (NULL), (''), ('\.'), ('\N'), ('$$'), ('--');
CREATE TABLE nocols ();
INSERT INTO nocols DEFAULT VALUES;
INSERT INTO nocols DEFAULT VALUES;
CREATE TABLE ev (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE ev1 PARTITION OF ev FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE ev2 PARTITION OF ev FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO ev SELECT g, '2024-06-01'::date + g FROM generate_series(1, 400) g;
CREATE TABLE par (id int PRIMARY KEY, a text);
CREATE TABLE chi (b text) INHERITS (par);
INSERT INTO par VALUES (1, 'p');
INSERT INTO chi VALUES (2, 'c', 'd');
CREATE TABLE ident (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text);
INSERT INTO ident (t) SELECT 'x' || g FROM generate_series(1, 10) g;
CREATE TABLE empty (id int);
CREATE TABLE before_users (id bigint REFERENCES users);
INSERT INTO before_users VALUES (5);
CREATE VIEW v AS SELECT * FROM users;
CREATE MATERIALIZED VIEW mv AS SELECT id FROM users;
SELECT lo_create(0);
)sql";

class ImportPair {
   public:
    // `tables`: what the source has.
    explicit ImportPair(const std::string& tables = import_tables) {
        server_.sql(source, tables);
        const std::string schema = dump("schema.sql", {"--schema-only"});
        const Finished made = run({postgres_programs() + "psql", "-qd", server_.url(target), "-f", schema});
        REQUIRE_MESSAGE(made.code == 0, made.err);
    }

    std::string dump(const std::string& name, std::vector<std::string> flags = {}) {
        std::vector<std::string> argv{postgres_programs() + "pg_dump", server_.url(source), "--file", file(name)};
        argv.insert(argv.end(), flags.begin(), flags.end());
        const Finished made = run(argv);
        REQUIRE_MESSAGE(made.code == 0, made.err);
        return file(name);
    }
    [[nodiscard]] std::string file(const std::string& name) const { return directory_ + "/" + name; }
    std::string write(const std::string& name, const std::string& text) {
        std::ofstream(file(name), std::ios::binary) << text;
        return file(name);
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream in(file(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    // With the servers' pg_restore in PATH.
    [[nodiscard]] static std::vector<std::string> argv(const std::string& sink, std::vector<std::string> more) {
        std::vector<std::string> argv{"/usr/bin/env", "PATH=" + postgres_programs() + ":" + std::getenv("PATH"),
                                      PGSLUICE_BINARY, "import", sink};
        argv.insert(argv.end(), more.begin(), more.end());
        return argv;
    }
    // Into the target's tables, which are emptied first.
    Finished import(std::vector<std::string> more) {
        more.insert(more.end(), {"--target-url", server_.url(target), "--target-existing-rows", "truncate"});
        return run(argv("postgres", std::move(more)));
    }

    // Every table's rows.
    std::vector<std::string> contents(const std::string& database) {
        std::vector<std::string> all;
        for (const std::string& select : server_.rows(
                 database,
                 "SELECT format('SELECT %L || whole_row::text FROM ONLY %I.%I AS whole_row ORDER BY 1', relname || ': "
                 "', nspname, "
                 "relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND "
                 "nspname NOT IN ('pg_catalog', 'information_schema', 'pgsluice') ORDER BY nspname, relname")) {
            for (std::string& row : server_.rows(database, select)) all.push_back(std::move(row));
        }
        return all;
    }
    void check_equal() {
        const auto expected = contents(source);
        CHECK_FALSE(expected.empty());
        CHECK(first_difference(expected, contents(target)) == "none");
    }
    PostgresServer& server() { return server_; }

   private:
    PostgresServer& server_ = shared_postgres();
    const std::string directory_ = temporary_directory("import");

   public:
    const std::string source = server_.create_database();
    const std::string target = server_.create_database();
};

}  // namespace pgsluice::test
