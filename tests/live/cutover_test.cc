// pgsluice cutover: an application moves while it writes, and no row is lost; whatever fails on the way, the source may
// be written to again, and another run succeeds.
#include <doctest/doctest.h>

#include "sql/connection.h"
#include "sql/error.h"
#include "tests/live/cutover_fixture.h"
#include "tests/support/hint.h"
#include "tests/support/moving_writer.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;

namespace {

using Texts = std::vector<std::string>;
constexpr const char* may_move = "the application may write to the target now";

bool prints(Process& process, const std::string& part) {
    return eventually("cutover prints: " + part, [&] { return contains(process.out(), part) || !process.running(); }) &&
           contains(process.out(), part);
}

// The state of an attempt to write to the table: "written", or the error's SQLSTATE.
std::string try_to_write(const sql::ConnectOptions& database, const std::string& statement) {
    sql::Connection connection(database);
    try {
        connection.exec(statement);
        return "written";
    } catch (const SqlError& error) {
        return error.sqlstate();
    }
}

std::string try_source(Pipeline& pipeline, const std::string& statement) {
    return try_to_write(shared_servers().source.connect(pipeline.source_db()), statement);
}

constexpr const char* shop =
    "CREATE TABLE customers (id serial PRIMARY KEY, name text);"
    "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int UNIQUE, customer int, invoice "
    "bigint, by_trigger text);"
    "CREATE TABLE visits (n int, part int, PRIMARY KEY (n, part)) PARTITION BY LIST (part);"
    "CREATE TABLE visits_0 PARTITION OF visits FOR VALUES IN (0);"
    "CREATE TABLE visits_1 PARTITION OF visits FOR VALUES IN (1);"
    "CREATE SEQUENCE invoices; CREATE SEQUENCE countdown INCREMENT -1;"
    "CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.by_trigger = 'marked'; RETURN NEW; END$$;"
    "CREATE TRIGGER marks BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION mark();";

std::string order(int n) {
    const std::string number = std::to_string(n);
    return "BEGIN; INSERT INTO public.orders (n, customer, invoice) VALUES (" + number + ", 1 + " + number +
           " % 10, nextval('public.invoices')); INSERT INTO public.visits VALUES (" + number + ", " + number +
           " % 2); SELECT nextval('public.countdown'); UPDATE public.customers SET name = '" + number +
           "' WHERE id = 1 + " + number + " % 10; COMMIT";
}

struct Shop {
    Pipeline pipeline;

    explicit Shop(const Texts& replicator_flags = {"--copy-and-stream"}) {
        pipeline.on_both(shop);
        pipeline.on_source(
            "INSERT INTO customers (name) SELECT 'customer ' || i FROM generate_series(1, 10) i;"
            "ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers;"
            "ALTER TABLE orders ADD CONSTRAINT n_check CHECK (n > 0); CREATE SEQUENCE of_source");
        pipeline.on_target(
            "ALTER TABLE orders DISABLE TRIGGER marks;"
            "ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers NOT "
            "VALID;"
            "ALTER TABLE orders ADD CONSTRAINT n_check CHECK (n > 0) NOT VALID");
        pipeline.start(replicator_flags);
        pipeline.settle();
        await_streaming_worker(pipeline);
    }

    MovingWriter writer() {
        const PipelineServers servers = shared_servers();
        return {servers.source.connect(pipeline.source_db()), servers.target.connect(pipeline.target_db()), order};
    }
    // Every committed order is on the target once, as the application made it, and nothing else.
    void check_orders(const std::vector<int>& committed) {
        std::string numbers;
        for (const int n : committed) numbers += (numbers.empty() ? "" : ",") + std::to_string(n);
        const std::string all = "{" + numbers + "}";
        CHECK(pipeline.target_scalar("SELECT array_agg(n ORDER BY n)::text FROM orders") == all);
        CHECK(pipeline.target_scalar("SELECT array_agg(n ORDER BY n)::text FROM visits") == all);
        CHECK(pipeline.target_scalar("SELECT count(*) FROM orders WHERE by_trigger IS DISTINCT FROM 'marked'") == "0");
        const std::string count = std::to_string(committed.size());
        CHECK(pipeline.target_scalar("SELECT count(DISTINCT id) || ' ' || count(DISTINCT invoice) FROM orders") ==
              count + " " + count);
    }
};

}  // namespace

TEST_CASE("an application moves while it writes, and no row is lost") {
    Shop shop_of;
    Pipeline& pipeline = shop_of.pipeline;
    MovingWriter writer = shop_of.writer();
    writer.await(300);
    const Finished plan = cut_over(pipeline, {});
    INFO(plan.err);
    CHECK(plan.code == 0);
    CHECK(contains(plan.out, "make trigger pgsluice_cutover on 6 tables of the source"));
    CHECK(contains(plan.out, "nothing was done; add --yes to do it"));
    writer.await(50);

    Process cutover({.argv = cutover_argv(pipeline)});
    const bool ready = prints(cutover, may_move);
    INFO(cutover.err());
    INFO(cutover.out());
    REQUIRE(ready);
    writer.move();
    writer.await_moved(100);
    CHECK(cutover.wait(std::chrono::seconds(60)) == 0);
    const auto committed = writer.stop();
    CHECK(writer.error().empty());
    shop_of.check_orders(committed);
    const std::string out = cutover.out();
    CHECK(contains(out, "public.orders: equal"));
    CHECK(contains(out, "tables equal"));
    CHECK(contains(out, "enabled trigger marks on public.orders"));
    CHECK(contains(out, "validated orders_customer_fkey on public.orders"));
    CHECK(contains(out, "validated n_check on public.orders"));
    CHECK(contains(out, "sequence public.invoices: 1, now "));
    CHECK(contains(out, "sequence public.countdown: -1, now -"));
    CHECK(contains(cutover.err(), "the target has no sequence public.of_source, so it was not set"));
    CHECK(try_source(pipeline, order(1'000'000)) == "25006");
    CHECK(try_source(pipeline, "TRUNCATE public.visits_0") == "25006");
    CHECK(try_source(pipeline, "DELETE FROM public.visits_1") == "25006");
    CHECK(try_source(pipeline, "CREATE TABLE public.of_its_own (id int); INSERT INTO public.of_its_own VALUES (1)") ==
          "written");

    const Finished again = cut_over(pipeline);
    INFO(again.err);
    CHECK(again.code == 0);
    CHECK(contains(again.out, "was cut over at "));
    CHECK(!contains(again.out, may_move));
    shop_of.check_orders(committed);
    pipeline.stop();
    shop_of.check_orders(committed);

    const Finished undone = cut_over(pipeline, {"--undo"});
    INFO(undone.err);
    CHECK(undone.code == 0);
    CHECK(contains(undone.out, "6 tables of the source may be written to again"));
    CHECK(try_source(pipeline, order(1'000'000)) == "written");
    CHECK(pipeline.source_scalar("SELECT count(*) FROM pg_namespace WHERE nspname = 'pgsluice'") == "0");
}

TEST_CASE("triggers and constraints of a table that a route renames are looked for under its own name") {
    const rules_test::TextFile routes(
        "tables: {public.orders: {to: w.sales}, public.visits: {to: w.stays}, public.other: {to: public.orders}}",
        "routing.yaml");
    const std::string trigger =
        "CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.v = 'marked'; RETURN NEW; END$$;";
    const auto table = [](const std::string& name, const std::string& more = "") {
        return "CREATE TABLE " + name + " (id int PRIMARY KEY, v text)" + more + ";" +
               "CREATE TRIGGER marks BEFORE INSERT ON " + name + " FOR EACH ROW EXECUTE FUNCTION mark();";
    };
    const auto unready = [](const std::string& name) {
        return "ALTER TABLE " + name + " DISABLE TRIGGER marks; ALTER TABLE " + name +
               " ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;";
    };
    const std::string parted = " PARTITION BY RANGE (id)";
    Pipeline pipeline;
    pipeline.on_source(trigger + table("orders") + table("other") + table("visits", parted) +
                       "CREATE TABLE visits_0 PARTITION OF visits DEFAULT; ALTER TABLE orders ADD CONSTRAINT positive "
                       "CHECK (id > 0); ALTER TABLE visits ADD CONSTRAINT positive CHECK (id > 0); INSERT INTO orders "
                       "VALUES (1); INSERT INTO visits VALUES (1); INSERT INTO other VALUES (1);"
                       "ALTER TABLE other DISABLE TRIGGER marks");
    pipeline.on_target(trigger + "CREATE SCHEMA w;" + table("w.sales") + table("w.stays", parted) + table("orders") +
                       "CREATE TABLE w.stays_0 PARTITION OF w.stays DEFAULT;" + unready("w.sales") +
                       unready("w.stays") + unready("orders"));
    const std::vector<std::string> files{"--routing-config", routes.path()};
    pipeline.start_replicator({"--copy-and-stream", "--publish-via-partition-root"});
    pipeline.start_worker(files);
    pipeline.settle();
    await_streaming_worker(pipeline);
    const Finished done = cut_over(pipeline, {"--yes", "--routing-config", routes.path()});
    INFO(done.out);
    must_succeed(done);
    CHECK(contains(done.out, "enabled trigger marks on w.sales\n"));
    CHECK(contains(done.out, "validated positive on w.stays\n"));
    const std::string states = pipeline.target_scalar(
        "SELECT string_agg(tgrelid::regclass || ' ' || tgenabled::text, ', ' ORDER BY tgrelid::regclass::text) FROM "
        "pg_trigger WHERE tgname = 'marks'");
    CHECK(states == "orders D, w.sales O, w.stays O, w.stays_0 O");
    CHECK(pipeline.target_scalar("SELECT string_agg(conrelid::regclass || ' ' || convalidated::text, ', ' ORDER BY "
                                 "conrelid::regclass::text) FROM pg_constraint WHERE conname = 'positive'") ==
          "orders false, w.sales true, w.stays true, w.stays_0 true");
    pipeline.stop();
}

TEST_CASE("constraints are validated with the rights of the table's owner") {
    Shop shop_of;
    Pipeline& pipeline = shop_of.pipeline;
    pipeline.on_source(order(1) + "; ALTER TABLE orders ADD CONSTRAINT by_function CHECK (n > 0)");
    pipeline.settle();
    pipeline.on_target(
        "DO $$BEGIN CREATE ROLE cutover_owner; EXCEPTION WHEN duplicate_object THEN NULL; END$$;"
        "CREATE FUNCTION by_owner(int) RETURNS bool LANGUAGE sql AS $$SELECT current_user = 'cutover_owner'$$;"
        "ALTER TABLE orders ADD CONSTRAINT by_function CHECK (by_owner(n)) NOT VALID;"
        "ALTER TABLE orders OWNER TO cutover_owner");
    const Finished moved = run(cutover_argv(pipeline), {}, std::chrono::seconds(60));
    INFO(moved.out);
    INFO(moved.err);
    CHECK(moved.code == 0);
    CHECK(contains(moved.out, "validated by_function on public.orders"));
    CHECK(contains(moved.out, "validated orders_customer_fkey on public.orders"));
    pipeline.stop();
}

TEST_CASE("a target that is stuck gives the source its writes back, and another run moves") {
    Shop shop_of;
    Pipeline& pipeline = shop_of.pipeline;
    pipeline.on_source(order(1));
    pipeline.settle();
    sql::Connection open(shared_servers().source.connect(pipeline.source_db()));
    open.exec("BEGIN; INSERT INTO public.orders (n) VALUES (2)");
    Process cutover({.argv = cutover_argv(pipeline, {"--yes", "--compare", "none", "--max-write-stop", "20s"})});
    REQUIRE(prints(cutover, "stopping writes to the source"));
    sql::Connection locker(shared_servers().target.connect(pipeline.target_db()));
    locker.exec("BEGIN; LOCK TABLE public.orders");
    open.exec("COMMIT");
    CHECK(prints(cutover, "writes to the source are stopped"));
    CHECK(cutover.wait(std::chrono::seconds(60)) == 1);
    INFO(cutover.err());
    CHECK(contains(cutover.out(), "the source may be written to again"));
    CHECK(contains(cutover.err(), "unable to cut over: the target did not follow within 20 s"));
    CHECK(try_source(pipeline, order(3)) == "written");
    locker.exec("ROLLBACK");
    const Finished again = cut_over(pipeline);
    INFO(again.err);
    CHECK(again.code == 0);
    CHECK(contains(again.out, may_move));
    CHECK(contains(again.out, "public.orders: equal, 3 rows"));
    CHECK(try_source(pipeline, order(4)) == "25006");
    CHECK(try_to_write(shared_servers().target.connect(pipeline.target_db()), order(4)) == "written");
    pipeline.stop();
}

TEST_CASE("transactions that stay open keep a cutover from stopping writes, and are named") {
    Shop shop_of;
    Pipeline& pipeline = shop_of.pipeline;
    sql::Connection open(shared_servers().source.connect(pipeline.source_db()));
    open.exec("BEGIN; INSERT INTO public.orders (n) VALUES (2)");
    const Texts impatient{"--yes", "--compare", "none", "--max-write-stop", "2s"};
    const std::string hint = refusal(cutover_argv(pipeline, impatient), "End them, or run it again");
    CHECK(try_source(pipeline, order(3)) == "written");
    pipeline.on_source("SELECT pg_terminate_backend(" + std::to_string(open.backend_pid()) + ")");
    const Finished again = cut_over(pipeline, {"--yes", "--compare", "none"});
    INFO(again.err);
    CHECK(again.code == 0);
    CHECK(contains(again.out, may_move));
    pipeline.stop();
}

TEST_CASE("the triggers that refuse writes are no command of the source's users") {
    Shop shop_of({"--copy-and-stream", "--track-ddl", "--ddl-objects", "triggers,functions"});
    Pipeline& pipeline = shop_of.pipeline;
    const Finished done = cut_over(pipeline);
    INFO(done.err);
    REQUIRE(done.code == 0);
    CHECK(try_source(pipeline, order(1)) == "25006");
    CHECK(cut_over(pipeline, {"--undo"}).code == 0);
    pipeline.on_source("CREATE TRIGGER another BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION mark()");
    pipeline.settle();
    CHECK(pipeline.target_scalar("SELECT string_agg(DISTINCT tgname, ',' ORDER BY tgname) FROM pg_trigger WHERE NOT "
                                 "tgisinternal AND tgrelid = 'orders'::regclass") == "another,marks");
    pipeline.stop();
}

TEST_CASE("a cutover that was killed in the middle is taken up by the next") {
    for (const std::string at : {"cutover-stopped", "cutover-ready"}) {
        Shop shop_of;
        Pipeline& pipeline = shop_of.pipeline;
        MovingWriter writer = shop_of.writer();
        writer.await(100);
        Process killed({.argv = cutover_argv(pipeline), .environment = {{"PGSLUICE_FAILPOINT", at}}});
        Pipeline::must_die(killed);
        CHECK(try_source(pipeline, order(1'000'000)) == "25006");
        Process cutover({.argv = cutover_argv(pipeline)});
        REQUIRE(prints(cutover, may_move));
        CHECK(contains(cutover.out(), "writes to the source are stopped already, by an earlier run"));
        writer.move();
        writer.await_moved(50);
        CHECK(cutover.wait(std::chrono::seconds(60)) == 0);
        shop_of.check_orders(writer.stop());
        CHECK(writer.error().empty());
        pipeline.stop();
    }
}

TEST_CASE("a group that leads back brings what is written to the target, and one may return") {
    Shop shop_of;
    Pipeline& there = shop_of.pipeline;
    const PipelineServers servers = shared_servers();
    Pipeline back{{servers.target, servers.source, servers.nats},
                  Pipeline::Between{there.target_db(), there.source_db()}};
    MovingWriter writer = shop_of.writer();
    writer.await(100);
    Process cutover({.argv = cutover_argv(there, {"--yes", "--reverse", back.group()})});
    const bool ready = prints(cutover, may_move);
    INFO(cutover.err());
    REQUIRE(ready);
    writer.move();
    writer.await_moved(100);
    CHECK(cutover.wait(std::chrono::seconds(60)) == 0);
    const auto committed = writer.stop();
    CHECK(writer.error().empty());
    shop_of.check_orders(committed);
    // What was written before the group ran is not lost.
    const std::string said_names = said(cutover.out(), "--tables '", "'");
    back.start_replicator(
        {"--stream", "--origin", "none", "--tables", said_names.substr(std::string("--tables '").size())});
    back.start_worker();
    back.await_stream();
    back.settle();
    const Finished returned = cut_over(back);
    INFO(returned.err);
    INFO(returned.out);
    CHECK(returned.code == 0);
    CHECK(contains(returned.out, "the target's tables may be written to again"));
    CHECK(contains(returned.out, "public.orders: equal"));
    CHECK(try_source(there, order(2'000'000)) == "written");
    CHECK(try_to_write(shared_servers().target.connect(there.target_db()), order(2'000'001)) == "25006");
    there.settle();
    there.check_equal({"orders", "visits", "customers"});
    back.stop();
    there.stop();
}
