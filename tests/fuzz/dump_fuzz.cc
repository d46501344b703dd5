// Any bytes are a dump whose rows are COPY text with as many columns as were announced, or are refused with a stop
// Error. The first byte of the input says how many come at a time.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "stream/format/copy_text.h"
#include "tests/fuzz/seeds.h"
#include "worker/dump/reader.h"

using namespace pgsluice;

namespace {

struct Checked : dump::Rows {
    std::size_t columns = 0;
    std::vector<QualifiedName> names;
    std::vector<std::vector<std::string>> of;
    void table(const QualifiedName& name, const std::vector<std::string>& given,
               const dump::Place& /*place*/) override {
        columns = given.size();
        names.push_back(name);
        of.push_back(given);
    }
    void row(std::string_view line, const dump::Place& /*place*/) override {
        Arena arena;
        try {
            static_cast<void>(parse_copy_line(line, columns, arena));
        } catch (const Error& error) {
            // A backslash at a value's end, which PostgreSQL does not write.
            if (std::string_view(error.what()).find("ends in a backslash") == std::string_view::npos) std::abort();
        }
    }
};

void read(std::string_view text, std::size_t piece) {
    Checked rows;
    dump::Reader reader(rows);
    reader.read("dump", [&, at = std::size_t{0}](char* into, std::size_t size) mutable {
        const std::size_t count = std::min({piece, size, text.size() - at});
        text.copy(into, count, at);
        at += count;
        return count;
    });
    for (std::size_t i = 0; i < rows.names.size(); ++i)
        static_cast<void>(reader.schema().relation(rows.names[i], rows.of[i]));
}

const std::array<std::string, 3> seeds{
    R"(--
-- PostgreSQL database dump
--

\restrict x
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TYPE public.mood AS ENUM (
    'sad'
);
CREATE DOMAIN public.email AS character varying(80)
	CONSTRAINT email_check CHECK (((VALUE)::text ~ '@'::text));
CREATE FUNCTION public.f() RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT CASE WHEN true THEN 1 END AS "case";
END;
CREATE TABLE public.users (
    id integer DEFAULT nextval('public.s'::regclass) NOT NULL,
    "e mail" public.email,
    n numeric(10,2)[],
    g integer GENERATED ALWAYS AS ((id * 2)) STORED
)
PARTITION BY RANGE (id);
CREATE TABLE public.u1 PARTITION OF public.users FOR VALUES FROM (1) TO (2);
ALTER TABLE ONLY public.users ATTACH PARTITION public.u1 FOR VALUES FROM (1) TO (2);
--
-- Data for Name: u1; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.users (id, "e mail", n) FROM stdin;
1	a\tb\\	\N
\.
INSERT INTO public.users VALUES (1, 'it''s', NULL, DEFAULT), (-2.5e+3, E'\n\x41\'', B'01', DEFAULT) ON CONFLICT DO NOTHING;
ALTER TABLE ONLY public.users ADD CONSTRAINT k PRIMARY KEY (id) INCLUDE (n);
CREATE UNIQUE INDEX i ON public.users USING btree (lower("e mail")) WHERE (id > 0);
ALTER TABLE ONLY public.users REPLICA IDENTITY USING INDEX i;
--
-- PostgreSQL database dump complete
--
)",
    R"(SET client_encoding = 'UTF8';
SET standard_conforming_strings = off;
SET search_path = shop, pg_catalog;
CREATE TABLE t (a "char", b text) INHERITS (u);
CREATE RULE r AS ON INSERT TO v DO INSTEAD (INSERT INTO t VALUES (1); SELECT $1$;$1$, $a$;$a$);
INSERT INTO t VALUES ('a\\b', true), ('\'', false);
INSERT INTO none DEFAULT VALUES;
)",
    "\\connect a\n/* a /* b */ ; */ DROP TABLE x;\nCREATE TYPE c AS (a integer, b text[]);\nCREATE TABLE t OF c;\n"};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    std::vector<std::string> all;
    for (const std::string& seed : seeds) all.push_back('\x07' + seed);
    fuzz::add_seeds(argc, argv, all);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    try {
        read({reinterpret_cast<const char*>(data) + 1, size - 1}, std::size_t{data[0]} + 1);
    } catch (const Error& error) {
        if (error.action() != Action::stop) std::abort();
    }
    return 0;
}
