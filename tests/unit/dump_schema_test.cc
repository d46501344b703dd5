// What a dump's CREATE and ALTER statements say of a table, as rules need to know it.
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "rules/values/value_type.h"
#include "worker/dump/reader.h"

using namespace pgsluice;
using rules::ValueType;

namespace {

struct NoRows : dump::Rows {
    void table(const QualifiedName&, const std::vector<std::string>&, const dump::Place&) override {}
    void row(std::string_view, const dump::Place&) override {}
};

class Schema {
   public:
    explicit Schema(const std::string& text) : reader_(rows_) {
        reader_.read("d.sql", [text, done = false](char* into, std::size_t) mutable {
            if (done) return std::size_t{0};
            done = true;
            std::memcpy(into, text.data(), text.size());
            return text.size();
        });
    }
    Relation relation(const std::string& table, const std::vector<std::string>& columns) {
        auto found = reader_.schema().relation({"public", table}, columns);
        REQUIRE(found);
        return *found;
    }
    std::vector<ColumnReference> references() { return reader_.schema().references(); }
    bool knows(const std::string& table, const std::vector<std::string>& columns) {
        return reader_.schema().relation({"public", table}, columns).has_value();
    }

   private:
    NoRows rows_;
    dump::Reader reader_;
};

}  // namespace

TEST_CASE("foreign keys, however they are written") {
    Schema schema(R"(CREATE TABLE public.users (id integer NOT NULL, email character varying(20));
CREATE TABLE public.notes (
    id integer PRIMARY KEY,
    author character varying(10) REFERENCES public.users (email) ON DELETE CASCADE,
    re integer REFERENCES public.notes,
    a integer, b integer,
    CONSTRAINT two FOREIGN KEY (a, b) REFERENCES public.pairs(x, y) MATCH FULL
);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.notes
    ADD CONSTRAINT notes_id_fkey FOREIGN KEY (id) REFERENCES public.users(id) DEFERRABLE;
ALTER TABLE ONLY public.notes
    ADD CONSTRAINT at FOREIGN KEY (a, PERIOD b) REFERENCES public.pairs(x, PERIOD y);
)");
    const QualifiedName notes{"public", "notes"};
    const QualifiedName users{"public", "users"};
    const QualifiedName pairs{"public", "pairs"};
    const std::string both = "(a, b) references (x, y)";
    CHECK(schema.references() ==
          std::vector<ColumnReference>{{notes, "author", users, "email", false, "(author) references (email)"},
                                       {notes, "re", notes, "id", true, "(re) references (id)"},
                                       {notes, "a", pairs, "x", false, both},
                                       {notes, "b", pairs, "y", false, both},
                                       {notes, "id", users, "id", true, "(id) references (id)"},
                                       {notes, "a", pairs, "x", false, both},
                                       {notes, "b", pairs, "y", false, both}});
}

TEST_CASE("the types of columns") {
    Schema schema(R"(CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;
CREATE TYPE public.mood AS ENUM (
    'sad',
    'o''k, (fine)'
);
CREATE DOMAIN public.email AS character varying(80)
	CONSTRAINT email_check CHECK (((VALUE)::text ~ '@'::text));
CREATE DOMAIN public.work_email AS public.email;
CREATE DOMAIN public.tags AS text[];
CREATE TABLE public.t (
    a integer DEFAULT nextval('public.t_a_seq'::regclass) NOT NULL,
    b character varying(20) COLLATE pg_catalog."de_DE",
    c numeric(10,2) DEFAULT 1.5,
    d timestamp(3) with time zone,
    e public.mood,
    f public.work_email,
    g text[],
    h public.citext,
    i character(3),
    j public.email[],
    k interval day to second(3),
    l bit varying(5),
    m double precision,
    n "char",
    o public.tags,
    p public.geometry(Point,4326),
    "q r" jsonb DEFAULT '{"a": [1, 2]}'::jsonb,
    s bytea,
    u uuid,
    CONSTRAINT t_check CHECK ((a > 0))
);
)");
    const Relation t = schema.relation(
        "t", {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q r", "s", "u"});
    std::vector<ValueType> types;
    std::vector<std::string> names;
    for (const Column& column : t.columns) {
        types.push_back(rules::value_type(column));
        names.push_back(column.type_name);
    }
    CHECK(types == std::vector{ValueType::number, ValueType::text, ValueType::number, ValueType::timestamptz,
                               ValueType::other, ValueType::text, ValueType::array, ValueType::text,
                               ValueType::padded_text, ValueType::array, ValueType::interval, ValueType::other,
                               ValueType::number, ValueType::text, ValueType::array, ValueType::other, ValueType::json,
                               ValueType::bytea, ValueType::uuid});
    CHECK(names == std::vector<std::string>{"integer", "character varying", "numeric", "timestamp with time zone",
                                            "public.mood", "public.work_email", "text[]", "public.citext", "character",
                                            "public.email[]", "interval day to second", "bit varying",
                                            "double precision", "\"char\"", "public.tags", "public.geometry", "jsonb",
                                            "bytea", "uuid"});
    CHECK(t.columns[1].typmod == 24);
    CHECK(t.columns[2].typmod == ((10 << 16) | 2) + 4);
    CHECK(t.columns[5].base_oid == 1043);
    CHECK(t.columns[6].element_oid == 25);
    CHECK(t.columns[9].element_oid == 1043);
    CHECK(t.columns[14].element_oid == 25);
    CHECK(t.columns[16].number == 17);
}

TEST_CASE("keys and unique indexes, which follow the rows") {
    Schema schema(R"(CREATE TABLE public.t (
    id bigint NOT NULL,
    email text,
    code text,
    note text,
    more text
);
ALTER TABLE ONLY public.t
    ADD CONSTRAINT t_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.t ADD CONSTRAINT t_code UNIQUE NULLS NOT DISTINCT (code) INCLUDE (more);
CREATE UNIQUE INDEX t_email ON public.t USING btree (lower(email)) INCLUDE (more) WHERE (note IS NOT NULL);
CREATE INDEX t_more ON public.t USING btree (more);
)");
    const Relation t = schema.relation("t", {"id", "email", "code", "note", "more"});
    CHECK(t.columns[0].key);
    CHECK_FALSE(t.columns[0].unique);
    CHECK(t.columns[1].unique);
    CHECK(t.columns[2].unique);
    CHECK(t.columns[3].unique);
    CHECK_FALSE(t.columns[4].unique);
    CHECK_FALSE(t.columns[1].key);
}

TEST_CASE("the replica identity") {
    const std::string table =
        "CREATE TABLE public.t (\n    id bigint,\n    code text NOT NULL\n);\n"
        "ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);\n"
        "CREATE UNIQUE INDEX t_code ON public.t USING btree (code);\n";
    Schema index(table + "ALTER TABLE ONLY public.t REPLICA IDENTITY USING INDEX t_code;\n");
    CHECK_FALSE(index.relation("t", {"id", "code"}).columns[0].key);
    CHECK(index.relation("t", {"id", "code"}).columns[1].key);
    Schema full(table + "ALTER TABLE ONLY public.t REPLICA IDENTITY FULL;\n");
    CHECK(full.relation("t", {"id", "code"}).identity == ReplicaIdentity::full);
    CHECK(full.relation("t", {"id", "code"}).columns[1].key);
}

TEST_CASE("partitions and children are below their tables, whose rules hold for them") {
    Schema schema(R"(CREATE TABLE public.e (
    id bigint,
    at date
)
PARTITION BY RANGE (at);
CREATE TABLE public.e1 (
    id bigint,
    at date
)
PARTITION BY RANGE (at);
CREATE TABLE public.e11 (
    id bigint,
    at date
);
CREATE TABLE public.old PARTITION OF public.e
FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE public.child (
    more integer
)
INHERITS (public.e11);
ALTER TABLE ONLY public.e ATTACH PARTITION public.e1 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
ALTER TABLE ONLY public.e1 ATTACH PARTITION public.e11 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
)");
    const std::vector<QualifiedName> above{{"public", "e1"}, {"public", "e"}};
    CHECK(schema.relation("e11", {"id", "at"}).ancestors == above);
    CHECK(schema.relation("old", {"id", "at"}).ancestors == std::vector<QualifiedName>{{"public", "e"}});
    const Relation child = schema.relation("child", {"id", "at", "more"});
    CHECK(child.ancestors.front() == QualifiedName{"public", "e11"});
    CHECK(child.columns[2].type_oid == 23);
    CHECK(child.columns[0].type_oid == 20);
}

TEST_CASE("a column that the dump does not create is not known") {
    Schema schema("CREATE TABLE public.t (\n    a integer\n);\n");
    CHECK(schema.knows("t", {"a"}));
    CHECK_FALSE(schema.knows("t", {"a", "b"}));
    CHECK_FALSE(schema.knows("u", {"a"}));
}

TEST_CASE("a table is not known under what a later statement makes of it, so that is refused") {
    for (const std::string action : {"RENAME TO u", "RENAME COLUMN a TO b", "ADD COLUMN b text", "DROP COLUMN a",
                                     "SET SCHEMA other", "ALTER COLUMN a TYPE text", "ALTER a SET DATA TYPE text"}) {
        CAPTURE(action);
        CHECK_THROWS_AS(
            Schema("CREATE TABLE public.t (\n    a integer\n);\nALTER TABLE ONLY public.t " + action + ";\n"), Error);
    }
}
