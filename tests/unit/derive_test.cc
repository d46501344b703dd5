// The commands that are derived from definitions before and after.
#include "sinks/ddl/derive.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {

ColumnDefinition column(int number, const std::string& name, const std::string& type, const std::string& value = {}) {
    ColumnDefinition made;
    made.number = static_cast<std::int16_t>(number);
    made.name = name;
    made.type = type;
    made.expression = value;
    return made;
}

TableDefinition table(std::vector<ColumnDefinition> columns = {column(1, "id", "integer"), column(2, "v", "text")}) {
    TableDefinition made{"public", "t"};
    made.columns = std::move(columns);
    return made;
}

std::string derived(const DefinitionMessage& message) { return text_of(derive(message)); }

std::string altered(const TableDefinition& before, const TableDefinition& after, bool recopy = false) {
    DefinitionChange change{1, before, after};
    change.recopy = recopy;
    return derived({"ALTER TABLE", {change}});
}

template <typename T>
std::string changed(const std::optional<T>& before, const std::optional<T>& after) {
    DefinitionChange change;
    change.oid = 9;
    if (before) change.before = *before;
    if (after) change.after = *after;
    return derived({"X", {change}});
}

// `t` with what `change` does to it.
template <typename Change>
std::string with(Change change, bool recopy = false) {
    TableDefinition after = table();
    change(after);
    return altered(table(), after, recopy);
}

}  // namespace

TEST_CASE("a partition that is attached while its root's rows are void says whose may be removed") {
    TableDefinition after = table();
    after.bound = "DEFAULT";
    after.parents = {{7, "public", "p"}};
    DefinitionChange change{1, table(), after};
    change.root_void = true;
    const auto statements = derive({"ALTER TABLE", {change}});
    REQUIRE(statements.size() == 1);
    CHECK(statements.front().text == R"(ALTER TABLE "public"."p" ATTACH PARTITION "public"."t" DEFAULT)");
    CHECK(statements.front().voids == std::vector<QualifiedName>{{"public", "t"}, {"public", "p"}});
    change.root_void = false;
    CHECK(derive({"ALTER TABLE", {change}}).front().voids.empty());
}

TEST_CASE("an added column gets its default where the rows are kept and come again") {
    TableDefinition after = table();
    after.columns.push_back(column(3, "n", "bigint", "nextval('s'::regclass)"));
    DefinitionChange change{1, table(), after};
    change.recopy = true;
    change.rewritten = 2;
    for (const DerivedStatement& statement : derive({"ALTER TABLE", {change}}))
        if (statement.kind == DdlKind::add_column)
            CHECK(statement.kept_text ==
                  R"(ALTER TABLE "public"."t" ADD COLUMN "n" bigint DEFAULT nextval('s'::regclass))");
}

TEST_CASE("a column that was added has what the source's rows hold") {
    CHECK(with([](auto& t) { t.columns.push_back(column(3, "n", "integer")); }) ==
          R"(ALTER TABLE "public"."t" ADD COLUMN "n" integer)");
    CHECK(with([](auto& t) {
              t.columns.push_back(column(3, "n", "timestamp with time zone", "now()"));
              t.columns[2].missing = "2026-01-02 03:04:05+00";
              t.columns[2].not_null = true;
          }) == R"(ALTER TABLE "public"."t" ADD COLUMN "n" timestamp with time zone DEFAULT )"
                R"('2026-01-02 03:04:05+00'::timestamp with time zone NOT NULL; )"
                R"(ALTER TABLE "public"."t" ALTER COLUMN "n" SET DEFAULT now())");
    // The default came after the column, so that the rows have NULL.
    CHECK(
        with([](auto& t) { t.columns.push_back(column(3, "n", "integer", "5")); }) ==
        R"(ALTER TABLE "public"."t" ADD COLUMN "n" integer; ALTER TABLE "public"."t" ALTER COLUMN "n" SET DEFAULT 5)");
    // The default went after the column.
    CHECK(with([](auto& t) {
              t.columns.push_back(column(3, "n", "integer"));
              t.columns[2].missing = "7";
          }) == R"(ALTER TABLE "public"."t" ADD COLUMN "n" integer DEFAULT '7'::integer; )"
                R"(ALTER TABLE "public"."t" ALTER COLUMN "n" DROP DEFAULT)");
}

TEST_CASE("rows that come again leave an empty table for the new column") {
    CHECK(with(
              [](auto& t) {
                  t.columns.push_back(column(3, "u", "uuid", "gen_random_uuid()"));
                  t.columns[2].not_null = true;
              },
              true) == R"(TRUNCATE ONLY "public"."t"; ALTER TABLE "public"."t" ADD COLUMN "u" uuid NOT NULL; )"
                       R"(ALTER TABLE "public"."t" ALTER COLUMN "u" SET DEFAULT gen_random_uuid())");
    CHECK(
        with([](auto& t) { t.columns[1].type = "integer"; }, true) ==
        R"(TRUNCATE ONLY "public"."t"; ALTER TABLE "public"."t" ALTER COLUMN "v" TYPE integer USING "v"::text::integer)");
}

TEST_CASE("only a table that was emptied takes any conversion") {
    TableDefinition after = table();
    after.columns[1].type = "character varying(3)";
    DefinitionChange change{1, table(), after};
    change.recopy = true;
    const std::string plain = R"(ALTER TABLE "public"."t" ALTER COLUMN "v" TYPE character varying(3))";
    const auto type_change = [&] { return derive({"ALTER TABLE", {change}}).back(); };
    CHECK(type_change().text == plain + R"( USING "v"::text::character varying(3))");
    CHECK(type_change().kept_text == plain);
    change.keeps_rows = true;
    CHECK(type_change().text == plain);
    change.keeps_rows = false;
    change.own_rows = {"sid", "7"};
    CHECK(type_change().text == plain);
}

TEST_CASE("a change that does not show on the target, and for which it has to wait") {
    DefinitionChange change{1, table(), table()};
    change.obstacle = "why";
    change.unseen = true;
    const auto statements = derive({"ALTER TABLE", {change}});
    REQUIRE(statements.size() == 1);
    CHECK(statements.front().obstacle == "why");
    CHECK(statements.front().condition.empty());
    CHECK(statements.front().table == QualifiedName{"public", "t"});
}

TEST_CASE("columns are told by their numbers") {
    CHECK(with([](auto& t) { t.columns[1].name = "w"; }) == R"(ALTER TABLE "public"."t" RENAME COLUMN "v" TO "w")");
    CHECK(with([](auto& t) { t.columns[1] = column(3, "v", "text"); }) ==
          R"(ALTER TABLE "public"."t" DROP COLUMN "v"; ALTER TABLE "public"."t" ADD COLUMN "v" text)");
}

TEST_CASE("what a column is changes") {
    CHECK(with([](auto& t) { t.columns[0].type = "bigint"; }) ==
          R"(ALTER TABLE "public"."t" ALTER COLUMN "id" TYPE bigint)");
    CHECK(with([](auto& t) { t.columns[1].collation = "pg_catalog.\"C\""; }) ==
          R"(ALTER TABLE "public"."t" ALTER COLUMN "v" TYPE text COLLATE pg_catalog."C")");
    CHECK(with([](auto& t) { t.columns[1].not_null = true; }) ==
          R"(ALTER TABLE ONLY "public"."t" ALTER COLUMN "v" SET NOT NULL)");
    CHECK(with([](auto& t) { t.columns[1].expression = "'x'::text"; }) ==
          R"(ALTER TABLE ONLY "public"."t" ALTER COLUMN "v" SET DEFAULT 'x'::text)");
    CHECK(with([](auto& t) { t.columns[0].identity = 'a'; }) ==
          R"(ALTER TABLE "public"."t" ALTER COLUMN "id" ADD GENERATED ALWAYS AS IDENTITY)");
    CHECK(with([](auto& t) {
              t.columns[0].identity = 'd';
              t.columns[0].identity_options = "START WITH 7 INCREMENT BY 3 NO CYCLE";
          }) == R"(ALTER TABLE "public"."t" ALTER COLUMN "id" ADD GENERATED BY DEFAULT AS IDENTITY )"
                R"((START WITH 7 INCREMENT BY 3 NO CYCLE))");
    TableDefinition generated = table();
    generated.columns[0].identity = 'a';
    TableDefinition by_three = generated;
    by_three.columns[0].identity_options = "START WITH 7 INCREMENT BY 3 MINVALUE 1 MAXVALUE 99 CACHE 1 CYCLE";
    CHECK(altered(generated, by_three) ==
          R"(ALTER TABLE "public"."t" ALTER COLUMN "id" SET GENERATED ALWAYS SET START WITH 7 SET INCREMENT BY 3 )"
          R"(SET MINVALUE 1 SET MAXVALUE 99 SET CACHE 1 SET CYCLE)");
    CHECK(altered(by_three, generated) ==
          R"(ALTER TABLE "public"."t" ALTER COLUMN "id" SET GENERATED ALWAYS SET START WITH 1 SET INCREMENT BY 1 )"
          R"(SET NO MINVALUE SET NO MAXVALUE SET CACHE 1 SET NO CYCLE)");
    CHECK(with([](auto& t) { t.columns[1].storage = 'e'; }) ==
          R"(ALTER TABLE ONLY "public"."t" ALTER COLUMN "v" SET STORAGE EXTERNAL)");
    CHECK(with([](auto& t) { t.columns[1].comment = "it's"; }) == R"(COMMENT ON COLUMN "public"."t"."v" IS 'it''s')");
    TableDefinition before = table({column(1, "n", "integer", "5")});
    TableDefinition after = table({column(1, "n", "text", "'5'::text")});
    CHECK(altered(before, after) == R"(ALTER TABLE "public"."t" ALTER COLUMN "n" DROP DEFAULT, )"
                                    R"(ALTER COLUMN "n" TYPE text, ALTER COLUMN "n" SET DEFAULT '5'::text)");
}

TEST_CASE("a type that was renamed is no other type") {
    TableDefinition before = table({column(1, "m", "public.mood")});
    before.columns[0].type_oid = 900;
    TableDefinition after = before;
    after.columns[0].type = "public.feeling";
    CHECK(altered(before, after).empty());
    after.columns[0].typmod = 4;
    CHECK_FALSE(altered(before, after).empty());
}

TEST_CASE("a generated column's expression does not change by a rename") {
    TableDefinition before = table({column(1, "a", "integer"), column(2, "g", "integer", "(a * 2)")});
    before.columns[1].generated = 's';
    TableDefinition after = before;
    after.columns[0].name = "b";
    after.columns[1].expression = "(b * 2)";
    CHECK(altered(before, after) == R"(ALTER TABLE "public"."t" RENAME COLUMN "a" TO "b")");
    after.columns[0].name = "a";
    after.columns[1].generated = '\0';
    after.columns[1].expression.clear();
    CHECK(altered(before, after) == R"(ALTER TABLE ONLY "public"."t" ALTER COLUMN "g" DROP EXPRESSION)");
}

TEST_CASE("constraints are told by their oids, and by text where they were made again") {
    TableDefinition before = table();
    before.constraints = {{1, "t_pkey", 'p', "PRIMARY KEY (id)", true},
                          {2, "c", 'c', "CHECK ((v > 'a'::text)) NOT VALID"},
                          {3, "f", 'f', "FOREIGN KEY (id) REFERENCES public.p(id)", true}};
    TableDefinition after = before;
    after.constraints[0].oid = 11;
    CHECK(altered(before, after).empty());
    after.constraints[1].validated = true;
    after.constraints[1].definition = "CHECK ((v > 'a'::text))";
    after.constraints[2].deferrable = true;
    after.constraints[0].name = "k";
    after.constraints[0].oid = 1;
    CHECK(
        altered(before, after) ==
        R"(ALTER TABLE "public"."t" RENAME CONSTRAINT "t_pkey" TO "k"; ALTER TABLE "public"."t" VALIDATE CONSTRAINT "c"; )"
        R"(ALTER TABLE "public"."t" ALTER CONSTRAINT "f" DEFERRABLE INITIALLY IMMEDIATE)");
    after = before;
    after.constraints = {{12, "c", 'c', "CHECK ((v > 'b'::text))", true}};
    CHECK(altered(before, after) == R"(ALTER TABLE "public"."t" DROP CONSTRAINT "f"; )"
                                    R"(ALTER TABLE "public"."t" DROP CONSTRAINT "t_pkey"; )"
                                    R"(ALTER TABLE ONLY "public"."t" DROP CONSTRAINT "c"; )"
                                    R"(ALTER TABLE "public"."t" ADD CONSTRAINT "c" CHECK ((v > 'b'::text)))");
}

TEST_CASE("a table moves, and gets settings") {
    CHECK(with([](auto& t) {
              t.schema = "shop";
              t.name = "u";
              t.columns.push_back(column(3, "n", "integer"));
          }) == R"(ALTER TABLE "public"."t" SET SCHEMA "shop"; ALTER TABLE "shop"."t" RENAME TO "u"; )"
                R"(ALTER TABLE "shop"."u" ADD COLUMN "n" integer)");
    CHECK(with([](auto& t) { t.replica_identity = ReplicaIdentity::full; }) ==
          R"(ALTER TABLE ONLY "public"."t" REPLICA IDENTITY FULL)");
    CHECK(with([](auto& t) { t.row_security = true; }) == R"(ALTER TABLE ONLY "public"."t" ENABLE ROW LEVEL SECURITY)");
    CHECK(with([](auto& t) {
              t.options = {"fillfactor=70", "autovacuum_enabled=false"};
          }) == R"(ALTER TABLE ONLY "public"."t" SET (fillfactor = '70', autovacuum_enabled = 'false'))");
    CHECK(with([](auto& t) { t.comment = "c"; }) == R"(COMMENT ON TABLE "public"."t" IS 'c')");
    TableDefinition owned = table();
    owned.owner = "o'brien";
    const auto statements = derive({"ALTER TABLE", {{1, table(), owned}}});
    REQUIRE(statements.size() == 1);
    CHECK(statements[0].text == R"(ALTER TABLE "public"."t" OWNER TO "o'brien")");
    CHECK(statements[0].condition == "EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'o''brien')");
}

TEST_CASE("a table is made with its sequence, key, index and references in an order that works") {
    TableDefinition made = table({column(1, "id", "integer", "nextval('public.t_id_seq'::regclass)")});
    made.columns[0].not_null = true;
    made.constraints = {{5, "t_pkey", 'p', "PRIMARY KEY (id)", true},
                        {6, "t_fk", 'f', "FOREIGN KEY (id) REFERENCES public.p(id)", true}};
    SequenceDefinition sequence{"public",
                                "t_id_seq",
                                "o",
                                "integer",
                                "1",
                                "1",
                                "1",
                                "2147483647",
                                "1",
                                false,
                                SequenceOwner{1, "public", "t", "id"}};
    const IndexDefinition index{"public", "i", {1, "public", "t"}, "CREATE INDEX i ON public.t USING btree (id)", true};
    CHECK(
        derived({"CREATE TABLE", {{3, {}, index}, {1, {}, made}, {2, {}, sequence}}}) ==
        R"(CREATE SEQUENCE "public"."t_id_seq" AS integer INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 )"
        R"(CACHE 1 NO CYCLE; CREATE TABLE "public"."t" ("id" integer DEFAULT nextval('public.t_id_seq'::regclass) )"
        R"(NOT NULL, CONSTRAINT "t_pkey" PRIMARY KEY (id)); ALTER TABLE "public"."t" ADD CONSTRAINT "t_fk" )"
        R"(FOREIGN KEY (id) REFERENCES public.p(id); CREATE INDEX "i" ON "public"."t" USING btree (id); )"
        R"(ALTER SEQUENCE "public"."t_id_seq" OWNED BY "public"."t"."id")");
    CHECK(derived({"DROP TABLE", {{3, index, {}}, {1, made, {}}, {2, sequence, {}}}}) ==
          R"(DROP TABLE "public"."t"; DROP SEQUENCE IF EXISTS "public"."t_id_seq")");
}

TEST_CASE("partitions are made, attached and detached") {
    TableDefinition part = table();
    part.name = "p1";
    part.bound = "FOR VALUES FROM (1) TO (9)";
    part.parents = {{1, "public", "p"}};
    for (auto& c : part.columns) c.inherited = true;
    CHECK(changed<TableDefinition>({}, part) ==
          R"(CREATE TABLE "public"."p1" PARTITION OF "public"."p" FOR VALUES FROM (1) TO (9))");
    TableDefinition free = part;
    free.bound.clear();
    free.parents.clear();
    for (auto& c : free.columns) c.inherited = false;
    CHECK(changed<TableDefinition>(part, free) == R"(ALTER TABLE "public"."p" DETACH PARTITION "public"."p1")");
    CHECK(changed<TableDefinition>(free, part) ==
          R"(ALTER TABLE "public"."p" ATTACH PARTITION "public"."p1" FOR VALUES FROM (1) TO (9))");
    TableDefinition parent = table();
    parent.kind = 'p';
    parent.partition_by = "RANGE (id)";
    CHECK(changed<TableDefinition>({}, parent) ==
          R"(CREATE TABLE "public"."t" ("id" integer, "v" text) PARTITION BY RANGE (id))");
}

TEST_CASE("a partition has the identity of its root, or none") {
    TableDefinition plain = table();
    TableDefinition own = table();
    own.columns[0].identity = 'd';
    const auto below = [](TableDefinition partition) {
        partition.bound = "DEFAULT";
        partition.parents = {{7, "public", "p"}};
        return partition;
    };
    const std::string attach = R"(ALTER TABLE "public"."p" ATTACH PARTITION "public"."t" DEFAULT)";
    const std::string detach = R"(ALTER TABLE "public"."p" DETACH PARTITION "public"."t")";
    CHECK(altered(plain, below(own)) == attach);  // of PostgreSQL 17, as is the next
    CHECK(altered(below(own), plain) == detach);
    // A source before 17 lets a partition have its own, and a target from 17 on does not.
    const auto statements = derive({"ALTER TABLE", {{1, own, below(own)}}});
    REQUIRE(statements.size() == 2);
    CHECK(statements[0].text == R"(ALTER TABLE "public"."t" ALTER COLUMN "id" DROP IDENTITY)");
    CHECK(statements[0].condition.ends_with(">= 170000"));
    CHECK(statements[1].text == attach);
}

TEST_CASE("a column of a partitioned table comes once, with what the partitions' rows hold") {
    TableDefinition parent = table();
    parent.kind = 'p';
    TableDefinition part = parent;
    part.kind = 'r';
    part.name = "p1";
    part.bound = "DEFAULT";
    part.parents = {{1, "public", "t"}};
    for (auto& c : part.columns) c.inherited = true;
    TableDefinition parent_after = parent;
    TableDefinition part_after = part;
    parent_after.columns.push_back(column(3, "n", "integer", "5"));
    part_after.columns.push_back(column(3, "n", "integer", "5"));
    part_after.columns[2].inherited = true;
    part_after.columns[2].missing = "4";
    CHECK(derived({"ALTER TABLE", {{2, part, part_after}, {1, parent, parent_after}}}) ==
          R"(ALTER TABLE "public"."t" ADD COLUMN "n" integer DEFAULT '4'::integer; )"
          R"(ALTER TABLE "public"."t" ALTER COLUMN "n" SET DEFAULT 5)");
}

TEST_CASE("enum labels are added in their places, and renamed") {
    TypeDefinition before{"public", "mood", {}, 'e'};
    before.labels = {{1, "sad"}, {2, "ok"}};
    TypeDefinition after = before;
    after.labels = {{3, "awful"}, {1, "sad"}, {4, "so"}, {2, "fine"}};
    CHECK(changed<TypeDefinition>({}, before) == R"(CREATE TYPE "public"."mood" AS ENUM ('sad', 'ok'))");
    CHECK(changed<TypeDefinition>(before, after) ==
          R"(ALTER TYPE "public"."mood" ADD VALUE IF NOT EXISTS 'awful' BEFORE 'sad'; )"
          R"(ALTER TYPE "public"."mood" ADD VALUE IF NOT EXISTS 'so' AFTER 'sad'; )"
          R"(ALTER TYPE "public"."mood" RENAME VALUE 'ok' TO 'fine')");
    CHECK(changed<TypeDefinition>(before, {}) == R"(DROP TYPE "public"."mood")");
}

TEST_CASE("composite types and domains change by their parts") {
    TypeDefinition before{"public", "c", {}, 'c'};
    before.attributes = {{1, "a", "integer"}, {2, "b", "text"}};
    TypeDefinition after = before;
    after.attributes = {{1, "x", "bigint"}, {3, "d", "date"}};
    CHECK(changed<TypeDefinition>(before, after) ==
          R"(ALTER TYPE "public"."c" DROP ATTRIBUTE "b"; ALTER TYPE "public"."c" RENAME ATTRIBUTE "a" TO "x"; )"
          R"(ALTER TYPE "public"."c" ALTER ATTRIBUTE "x" TYPE bigint; ALTER TYPE "public"."c" ADD ATTRIBUTE "d" date)");
    TypeDefinition domain{"public", "d", {}, 'd'};
    domain.base = "integer";
    domain.constraints = {{1, "p", "CHECK ((VALUE > 0))", true}, {2, "q", "CHECK ((VALUE > 1)) NOT VALID"}};
    CHECK(changed<TypeDefinition>({}, domain) ==
          R"(CREATE DOMAIN "public"."d" AS integer CONSTRAINT "p" CHECK ((VALUE > 0)); )"
          R"(ALTER DOMAIN "public"."d" ADD CONSTRAINT "q" CHECK ((VALUE > 1)) NOT VALID)");
    TypeDefinition later = domain;
    later.not_null = true;
    later.constraints = {domain.constraints[1]};
    later.constraints[0].validated = true;
    CHECK(changed<TypeDefinition>(domain, later) ==
          R"(ALTER DOMAIN "public"."d" SET NOT NULL; ALTER DOMAIN "public"."d" DROP CONSTRAINT "p"; )"
          R"(ALTER DOMAIN "public"."d" VALIDATE CONSTRAINT "q")");
    TypeDefinition range{"public", "r", {}, 'r'};
    range.subtype = "double precision";
    range.subtype_diff = "float8mi";
    CHECK(changed<TypeDefinition>({}, range) ==
          R"(CREATE TYPE "public"."r" AS RANGE (SUBTYPE = double precision, SUBTYPE_DIFF = float8mi))");
}

TEST_CASE("an index gets its table's name at the target, whatever its own is") {
    IndexDefinition index{
        "public",
        "t_concurrently_idx",
        {1, "shop", "u u"},
        R"(CREATE UNIQUE INDEX "t on x" ON public."t USING y" USING btree (lower(v)) WHERE (v <> ' ON '))",
        true};
    CHECK(changed<IndexDefinition>({}, index) ==
          R"(CREATE UNIQUE INDEX "t_concurrently_idx" ON "shop"."u u" USING btree (lower(v)) WHERE (v <> ' ON '))");
    index.valid = false;
    CHECK(changed<IndexDefinition>({}, index).empty());
    IndexDefinition done = index;
    done.valid = true;
    CHECK_FALSE(changed<IndexDefinition>(index, done).empty());
    IndexDefinition other = done;
    other.name = "j";
    other.options = {"fillfactor=70"};
    CHECK(changed<IndexDefinition>(done, other) == R"(ALTER INDEX "public"."t_concurrently_idx" RENAME TO "j"; )"
                                                   R"(ALTER INDEX "public"."j" SET (fillfactor = '70'))");
    const auto drop = derive({"DROP INDEX", {{9, done, {}}}});
    REQUIRE(drop.size() == 1);
    CHECK(drop[0].text == R"(DROP INDEX "public"."t_concurrently_idx")");
    CHECK(drop[0].condition.find("indrelid = pg_catalog.to_regclass('\"shop\".\"u u\"')") != std::string::npos);
}

TEST_CASE("an index on a partitioned table is attached from below") {
    const IndexDefinition above{
        "public", "i", {1, "public", "p"}, "CREATE INDEX i ON ONLY public.p USING btree (v)", true};
    IndexDefinition below{"public", "i1", {2, "public", "p1"}, "CREATE INDEX i1 ON public.p1 USING btree (v)", true};
    below.parent = {8, "public", "i"};
    CHECK(
        derived({"CREATE INDEX", {{8, {}, above}, {9, {}, below}}}) ==
        R"(CREATE INDEX "i" ON ONLY "public"."p" USING btree (v); CREATE INDEX "i1" ON "public"."p1" USING btree (v); )"
        R"(ALTER INDEX "public"."i" ATTACH PARTITION "public"."i1")");
    CHECK(derived({"CREATE INDEX", {{8, {}, above}}}) == R"(CREATE INDEX "i" ON "public"."p" USING btree (v))");
    CHECK(derived({"DROP INDEX", {{9, below, {}}, {8, above, {}}}}) == R"(DROP INDEX "public"."i")");
}

TEST_CASE("schemas, extensions, statistics, sequences") {
    const SchemaDefinition shop{"shop"};
    CHECK(changed<SchemaDefinition>({}, shop) == R"(CREATE SCHEMA "shop")");
    CHECK(changed<SchemaDefinition>(shop, SchemaDefinition{"store"}) == R"(ALTER SCHEMA "shop" RENAME TO "store")");
    CHECK(changed<SchemaDefinition>(shop, {}) == R"(DROP SCHEMA "shop")");
    CHECK(changed<ExtensionDefinition>({}, ExtensionDefinition{"citext", "public", "1.6"}) ==
          R"(CREATE EXTENSION "citext" SCHEMA "public")");
    const StatisticsDefinition statistics{
        "public",
        "s",
        {1, "shop", "u"},
        R"(CREATE STATISTICS public.s (ndistinct) ON a, (b || ' FROM ') FROM public.t)"};
    CHECK(changed<StatisticsDefinition>({}, statistics) ==
          R"(CREATE STATISTICS "public"."s" (ndistinct) ON a, (b || ' FROM ') FROM "shop"."u")");
    SequenceDefinition sequence{"public", "s", "o", "bigint", "1", "1", "1", "9", "1"};
    SequenceDefinition later = sequence;
    later.name = "r";
    later.increment = "5";
    CHECK(
        changed<SequenceDefinition>(sequence, later) ==
        R"(ALTER SEQUENCE "public"."s" RENAME TO "r"; ALTER SEQUENCE "public"."r" AS bigint INCREMENT BY 5 MINVALUE 1 )"
        R"(MAXVALUE 9 START WITH 1 CACHE 1 NO CYCLE)");
}

TEST_CASE("what did not change is made where it is missing") {
    TypeDefinition mood{"public", "mood", "o", 'e'};
    mood.labels = {{1, "sad"}};
    const auto statements = derive({"CREATE TABLE", {{5, mood, mood}}});
    REQUIRE(statements.size() == 2);
    CHECK(statements[0].condition == R"(pg_catalog.to_regtype('"public"."mood"') IS NULL)");
    CHECK(statements[0].only_if_missing);
    CHECK(statements[1].only_if_missing);
    CHECK(altered(table(), table()).find("CREATE TABLE") == 0);
}

TEST_CASE("tables are dropped by one command, what the message does not know stops") {
    TableDefinition other = table();
    other.name = "u";
    CHECK(derived({"DROP TABLE", {{1, table(), {}}, {2, other, {}}}}) ==
          R"(DROP TABLE IF EXISTS "public"."t", "public"."u")");
    DefinitionChange change{1, {}, table()};
    change.unknown = true;
    CHECK(derive({"ALTER TABLE", {change}}).at(0).obstacle.find("not known") != std::string::npos);
}
