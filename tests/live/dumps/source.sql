CREATE TYPE mood AS ENUM ('sad', 'it''s ok, fine');
CREATE DOMAIN email AS varchar(80) CHECK (value <> 'x');
CREATE SCHEMA "Odd ""S""";
CREATE TABLE users (id bigserial PRIMARY KEY, name text NOT NULL, email email UNIQUE, m mood, tags text[], raw bytea,
    j jsonb, n numeric(12,3), f float8, ts timestamptz, iv interval, ok boolean, bits bit varying(10), ch char(5),
    money money, twice int GENERATED ALWAYS AS (1 + 2) STORED);
INSERT INTO users (name, email, m, tags, raw, j, n, f, ts, iv, ok, bits, ch, money)
    SELECT CASE WHEN g % 5 = 0 THEN '' ELSE 'row ' || g || E'\t\n\r\\ ''"x"; \\. $$' END, 'u' || g || '@example.com',
        'it''s ok, fine', ARRAY['a,b', '{"x"}', NULL, E'\\'], decode(md5(g::text), 'hex'), '{"a": [1, "\u00e4"]}',
        g / -3.0, 1 / g::float8, '2024-01-01'::timestamptz + g * '1h'::interval, '1 year 2 days 03:04:05.5', g % 2 = 0,
        B'0101', 'ab', 12.5 FROM generate_series(1, 6) g;
CREATE TABLE "Odd ""S"""."T able.é" ("a;b" int PRIMARY KEY, "(c)" text, "--d" text);
INSERT INTO "Odd ""S"""."T able.é" VALUES (1, NULL, 'x'), (2, '', '\.'), (3, '\N', '');
CREATE TABLE first_null (a text, b int);
INSERT INTO first_null VALUES (NULL, 1), ('', NULL), ('\.', 3), (E'a\nb', 4);
CREATE TABLE nocols ();
INSERT INTO nocols DEFAULT VALUES;
CREATE TABLE ev (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE ev1 PARTITION OF ev FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE ev2 PARTITION OF ev FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO ev SELECT g, '2024-12-29'::date + g FROM generate_series(1, 6) g;
CREATE TABLE par (id int PRIMARY KEY, a text NOT NULL);
CREATE TABLE chi (b text) INHERITS (par);
INSERT INTO par VALUES (1, 'p');
INSERT INTO chi VALUES (2, 'c', 'd');
CREATE TABLE ident (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text);
INSERT INTO ident (t) SELECT 'x' || g FROM generate_series(1, 4) g;
CREATE FUNCTION double(i int) RETURNS int LANGUAGE sql BEGIN ATOMIC; SELECT i * 2; END;
CREATE VIEW v AS SELECT id, double(id) FROM par;
