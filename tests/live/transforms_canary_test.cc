// A canary in every type of column, through every transform that takes the type (tests/support/canary_tables.h), in
// every operation, at the replicator and at a worker: it is nowhere beyond the source.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/live/source_rules_fixture.h"
#include "tests/support/canary_tables.h"
#include "tests/support/direct_group.h"
#include "tests/support/hardening.h"
#include "tests/support/http_receiver.h"
#include "tests/support/postgres_programs.h"
#include "tests/support/slow.h"

using namespace pgsluice::test;
using pgsluice::rules_test::TextFile;

namespace {

using Texts = std::vector<std::string>;

const TextFile& secret_file() {
    static const TextFile file("canary-secret", "secret");
    return file;
}

// Keys of which a transform keeps each different from all others.
struct CanaryKey {
    const char* type;
    const char* first;
    const char* moved;
};
constexpr CanaryKey key_values[] = {
    {"text", "'120450836194275013642777'", "'120450836194275013642778'"},
    {"bigint", "836194275", "8361942750"},
    {"uuid", "'83619427-5013-4642-8777-120450836194'", "'83619427-5013-4642-8777-120450836195'"},
};

// The tables, and what to do with them in SQL.
struct CanaryTable {
    const CanaryType& type;
    std::string name;
    std::vector<CanaryColumn> columns;

    [[nodiscard]] std::string rules() const {
        std::string text = fmt::format("  {}:\n    - {{type: exclude_column, column: gone}}\n", name);
        for (std::size_t i = 0; i < columns.size(); ++i)
            text +=
                fmt::format("    - {{type: transform, column: c{}, parameters: {{{}}}}}\n", i, columns[i].parameters);
        return text;
    }
    [[nodiscard]] std::string create(bool on_source) const {
        std::string text = fmt::format("CREATE TABLE {} (id int PRIMARY KEY{}, note text", name,
                                       on_source ? "" : " CONSTRAINT refused CHECK (id < 900)");
        if (on_source) text += ", gone " + type.sql;
        each([&](const std::string& column) { text += fmt::format(", {} {}", column, type.sql); });
        text += ");";
        if (!on_source || !type.any_length) return text;
        text += "ALTER TABLE " + name;
        each([&](const std::string& column) {
            text += fmt::format("{} ALTER {} SET STORAGE EXTERNAL", column == "c0" ? "" : ",", column);
        });
        return text + ";";
    }
    [[nodiscard]] std::string insert(int id, int longer = 0) const {
        const std::string value = type.literal(longer);
        std::string text = fmt::format("INSERT INTO {} VALUES ({}, 'note', {}", name, id, value);
        each([&](const std::string& /*column*/) { text += ", " + value; });
        return text + ");";
    }
    [[nodiscard]] std::string set_all(const std::string& value, const std::string& where) const {
        std::string text = fmt::format("UPDATE {} SET gone = {}", name, value);
        each([&](const std::string& column) { text += fmt::format(", {} = {}", column, value); });
        return text + " WHERE " + where + ";";
    }
    [[nodiscard]] std::string define() const {
        const std::string value = type.literal();
        std::string text = fmt::format(
            "ALTER TABLE {0} ALTER gone SET DEFAULT {1}, ADD CHECK (c0::text <> {1} OR id > 0)", name, value);
        each([&](const std::string& column) { text += fmt::format(", ALTER {} SET DEFAULT {}", column, value); });
        return text + fmt::format("; COMMENT ON TABLE {0} IS {1}; COMMENT ON COLUMN {0}.c0 IS {1};", name, value);
    }

    template <typename Call>
    void each(const Call& call) const {
        for (std::size_t i = 0; i < columns.size(); ++i) call("c" + std::to_string(i));
    }
};

std::vector<CanaryTable> make_canary_tables() {
    std::vector<CanaryTable> tables;
    for (const CanaryType& type : canary_types())
        tables.push_back({type, type.table(), canary_columns(type, secret_file().path())});
    return tables;
}

struct CanaryKeyTable {
    std::string name;
    std::string sql;
    std::string parameters;
    CanaryKey key;
};

// Of every transform that keeps keys, one.
std::vector<CanaryKeyTable> make_key_tables(const std::vector<CanaryTable>& tables) {
    std::vector<CanaryKeyTable> keys;
    for (const CanaryKey& key : key_values)
        for (const CanaryTable& table : tables)
            if (table.type.name == key.type)
                for (const CanaryColumn& column : table.columns)
                    if (column.keeps_distinct)
                        keys.push_back({fmt::format("k_{}", keys.size()), table.type.sql, column.parameters, key});
    return keys;
}

// All of them, with statements and rules about each.
struct CanaryTables {
    const std::vector<CanaryTable> tables = make_canary_tables();
    const std::vector<CanaryKeyTable> keys = make_key_tables(tables);
    const CanaryTable late{tables[0].type, "late", tables[0].columns};

    template <typename Statement>
    [[nodiscard]] std::string each(const Statement& statement) const {
        std::string text;
        for (const CanaryTable& table : tables) text += statement(table);
        return text;
    }
    template <typename Statement>
    [[nodiscard]] std::string each_key(const Statement& statement) const {
        std::string text;
        for (const CanaryKeyTable& table : keys) text += statement(table);
        return text;
    }
    [[nodiscard]] std::string rules() const {
        std::string text = "secret_file: " + secret_file().path() + "\ntables:\n";
        text += each([](const CanaryTable& table) { return table.rules(); }) + late.rules();
        return text + each_key([](const CanaryKeyTable& table) {
                   return fmt::format("  {}:\n    - {{type: transform, column: k, parameters: {{{}}}}}\n", table.name,
                                      table.parameters);
               });
    }
    [[nodiscard]] std::string create(bool on_source) const {
        return each([&](const CanaryTable& table) { return table.create(on_source); }) +
               each_key([](const CanaryKeyTable& table) {
                   return fmt::format("CREATE TABLE {} (k {} PRIMARY KEY, note text);", table.name, table.sql);
               });
    }
    // Types of the target's own, which hold no canary.
    [[nodiscard]] std::string create_on_target() const {
        std::string types = canary_types_sql;
        types.replace(types.find(", 'm836194275'"), 14, "");
        return types + create(false);
    }
    static std::string insert_key(const CanaryKeyTable& table) {
        return fmt::format("INSERT INTO {} VALUES ({}, 'note');", table.name, table.key.first);
    }
    [[nodiscard]] std::string first_rows() const {
        return each([](const CanaryTable& table) { return table.insert(1) + table.insert(2, 120); }) +
               each_key([](const CanaryKeyTable& table) { return insert_key(table); });
    }
};

// What shows of it all.
std::string dump(const std::string& url) {
    const Finished dumped = run({postgres_programs() + "pg_dump", "--no-owner", "--dbname", url});
    must_succeed(dumped);
    return dumped.out;
}
void look(const char* place, const std::string& text) {
    const std::string found = found_canary(text);
    const std::size_t at = found.empty() ? 0 : text.find(found);
    CHECK_MESSAGE(found.empty(), place << ": " << text.substr(at < 300 ? 0 : at - 300, 600));
}
std::string look_at(const Texts& argv) {
    const Finished finished = run(argv);
    CAPTURE(argv[1]);
    look("output", finished.out + finished.err);
    CHECK_MESSAGE(finished.code < 2, finished.err);
    return finished.out;
}

class Canaries : CanaryTables {
   public:
    Canaries() {
        hidden.on_source(canary_types_sql + create(true));
        hidden.on_target(create_on_target());
        open.on_target(create_on_target() + late.create(false) + "CREATE TABLE settled (mark int PRIMARY KEY)");
        hidden.on_source(first_rows());
        open.always({"--log-level", "debug"}, {"--log-level", "debug"});
    }

    void start() {
        hidden.start_ruled({"--copy-and-stream", "--track-ddl"}, environment);
        hidden.start_worker({"--on-error", "dead-letter"}, environment);
        open.start_replicator({"--copy-and-stream"}, environment);
        open.start_worker(with_rules({"--on-error", "dead-letter"}), environment);
    }
    void settle() {
        hidden.settle();
        open.settle();
    }

    // Ids from `base` on.
    void change(int base, bool refused) {
        const auto on_each = [&](const auto& statement) { hidden.on_source(each(statement)); };
        const std::string id = std::to_string(base);
        on_each([&](const CanaryTable& table) {
            return table.insert(base) + table.insert(base + 1, 120) + (refused ? table.insert(900 + base) : "");
        });
        on_each([&](const CanaryTable& table) {
            return fmt::format("UPDATE {} SET note = 'other' WHERE id IN (1, 2, {});", table.name, base + 1);
        });
        on_each([&](const CanaryTable& table) {
            return table.set_all("NULL", "id = " + id) + table.set_all(table.type.literal(10), "id = " + id);
        });
        on_each([&](const CanaryTable& table) {
            return fmt::format("UPDATE {0} SET id = id + 500 WHERE id = {1}; DELETE FROM {0} WHERE id = {2};",
                               table.name, base + 1, base);
        });
        hidden.on_source(each_key([](const CanaryKeyTable& table) {
            return fmt::format("UPDATE {0} SET note = 'other' WHERE k = {1}; UPDATE {0} SET k = {2} WHERE k = {1};",
                               table.name, table.key.first, table.key.moved);
        }));
        hidden.on_source(each_key([](const CanaryKeyTable& table) {
            return fmt::format("DELETE FROM {} WHERE k = {};", table.name, table.key.moved) + insert_key(table);
        }));
    }
    void set_identity_full() {
        hidden.on_source(
            each([](const CanaryTable& table) { return "ALTER TABLE " + table.name + " REPLICA IDENTITY FULL;"; }) +
            each_key(
                [](const CanaryKeyTable& table) { return "ALTER TABLE " + table.name + " REPLICA IDENTITY FULL;"; }));
    }
    void define() {
        for (const CanaryTable& table : tables) hidden.on_source(table.define());
        hidden.on_source(
            "ALTER TYPE mood ADD VALUE 'another m836194275'; ALTER DOMAIN secret_text SET DEFAULT '836194275';"
            "CREATE TABLE late (LIKE t_text INCLUDING ALL);" +
            late.insert(1));
    }
    void truncate() {
        hidden.on_source(each([](const CanaryTable& table) { return "TRUNCATE " + table.name + ";"; }));
    }
    void kill_and_start_again() {
        hidden.on_source(each([](const CanaryTable& table) { return table.insert(700, 120); }));
        for (Pipeline* group : {static_cast<Pipeline*>(&hidden), &open}) {
            logs += group->replicator().err() + group->worker().err();
            group->kill_replicator();
            group->kill_worker();
        }
        start();
    }

    void check_arrived() {
        for (Pipeline* group : {static_cast<Pipeline*>(&hidden), &open})
            for (const CanaryTable& table : tables) {
                CAPTURE(table.name);
                CHECK(group->target_scalar("SELECT string_agg(id || note, ' ' ORDER BY id) FROM " + table.name) ==
                      group->source_scalar("SELECT string_agg(id || note, ' ' ORDER BY id) FROM " + table.name +
                                           " WHERE id < 900"));
            }
    }
    // Everything but the source, and what shows that the search finds it.
    void look_everywhere() {
        look("stream", hidden.messages());
        look("files of nats-server", hidden.stored());
        look("bucket", hidden.keys() + keys_of(*open_broker, open_names));
        look("dead letters", messages_of(*hidden.broker, hidden.names.dead_letters));
        look("dead letters of a worker with rules", messages_of(*open_broker, open_names.dead_letters));
        look("target", dump(hidden.target_url()));
        look("target of a worker with rules", dump(open.target_url()));
        look("log",
             logs + hidden.replicator().err() + hidden.worker().err() + open.replicator().err() + open.worker().err());
        look("temporary files", all_files(environment.at("TMPDIR")));
        CHECK_FALSE(found_canary(messages_of(*open_broker, open_names.stream)).empty());
        CHECK_FALSE(found_canary(dump(hidden.source_url())).empty());
    }
    void look_at_commands() {
        for (Pipeline* group : {static_cast<Pipeline*>(&hidden), &open}) {
            for (const Texts& words : {Texts{"status", "--json"}, {"dlq", "list"}})
                look_at(group->command_argv("viewer", words));
            for (const Texts& words : {Texts{"compare"}, {"check", "leaks"}}) {
                Texts argv{"--source-url",      group->source_url(), "--target-url",
                           group->target_url(), "--rules-config",    hidden.file.path()};
                argv.insert(argv.begin(), words.begin(), words.end());
                const std::string said = look_at(group->command_argv("viewer", argv));
                // Rows that the targets refused are not there, and all others are what the rules make of them.
                const std::size_t differs = said.find("differs in");
                CHECK_MESSAGE(differs == std::string::npos, said.substr(differs < 400 ? 0 : differs - 400, 1500));
                CHECK_FALSE(contains(said, "FOUND"));
            }
        }
    }
    // What compare says of rows that differ, with their values.
    void look_at_differences() {
        for (Pipeline* group : {static_cast<Pipeline*>(&hidden), &open}) {
            group->on_target(each_key([](const CanaryKeyTable& table) { return "DELETE FROM " + table.name + ";"; }) +
                             "UPDATE t_text SET c0 = 'changed'; UPDATE t_jsonb SET c0 = '1'");
            Texts compare{"compare",      "--show-values",     "--source-url",   group->source_url(),
                          "--target-url", group->target_url(), "--rules-config", hidden.file.path()};
            CHECK(contains(look_at(group->command_argv("viewer", compare)), "changed"));
        }
    }
    // They would hold everything.
    void check_writes_no_core_file() {
        for (const Process* process : {&hidden.replicator(), &hidden.worker(), &open.replicator(), &open.worker()}) {
            std::ifstream limits("/proc/" + std::to_string(process->pid()) + "/limits");
            const std::string text{std::istreambuf_iterator<char>(limits), {}};
            const std::string name = "Max core file size";
            REQUIRE(contains(text, name));
            CHECK(std::atol(text.c_str() + text.find(name) + name.size()) == 0);
            CHECK_FALSE(contains(text.substr(text.find(name), 40), "unlimited"));
        }
    }
    void look_at_sinks() {
        const std::string end = hidden.source_scalar("SELECT pg_current_wal_lsn()");
        const std::string directory = temporary_directory("canary_lines");
        look_at(open.worker_argv("file", with_rules({"--worker-name", "file", "--file-output-dir", directory,
                                                     "--format", "debezium", "--exit-at-lsn", end})));
        look("files", all_files(directory));
        const HttpReceiver receiver([](const HttpRequest& request) {
            HttpReply reply;
            reply.status = contains(request.body, "t_enum") ? 422 : 200;
            reply.body = request.body;
            return reply;
        });
        look_at(open.worker_argv("webhook", with_rules({"--worker-name", "hook", "--webhook-url", receiver.url(),
                                                        "--on-error", "dead-letter", "--exit-at-lsn", end})));
        std::string sent;
        for (const HttpRequest& request : receiver.requests()) sent += request.body;
        CHECK(contains(sent, "t_jsonb"));
        look("webhook", sent);
        // It stops, and so says why: in its log, and in the bucket.
        look_at(open.worker_argv("webhook", with_rules({"--worker-name", "stops", "--webhook-url", receiver.url()})));
    }
    void stop() {
        hidden.stop();
        open.stop();
    }

    const std::map<std::string, std::string> environment{{"TMPDIR", temporary_directory("canary")}};
    RuledSource hidden{rules()};  // its replicator has the rules
    Pipeline open{shared_servers(), {hidden.source_db(), shared_postgres().create_database()}};  // its worker has them
    pgsluice::Names open_names = pgsluice::names_for(open.group());
    std::unique_ptr<pgsluice::Broker> open_broker = connect_broker();
    std::string logs;

   private:
    [[nodiscard]] Texts with_rules(Texts more) const {
        more.insert(more.end(), {"--rules-config", hidden.file.path()});
        return more;
    }
};

}  // namespace

TEST_CASE("a canary of every type, by every transform and in every operation, is nowhere beyond the source" * slow) {
    Canaries canaries;
    canaries.start();
    canaries.settle();
    canaries.change(10, true);
    canaries.set_identity_full();
    canaries.change(20, false);
    canaries.settle();
    canaries.kill_and_start_again();
    canaries.settle();
    canaries.check_arrived();
    canaries.look_at_commands();
    canaries.look_at_differences();
    canaries.check_writes_no_core_file();
    canaries.define();
    canaries.hidden.settle();
    canaries.look_everywhere();
    canaries.truncate();
    canaries.settle();
    canaries.look_at_sinks();
    canaries.look_everywhere();
    canaries.stop();
}

// A worker that reads the snapshot's rows from the source applies its rules before anything shows: nothing of them was
// in the stream ever. A row that the target refuses stops it, and does not show in what it says.
TEST_CASE("a canary of every type that a direct snapshot brings is nowhere beyond the source") {
    if (hardened_by_environment()) return;
    const CanaryTables canaries;
    DirectGroup group;
    group.on_source(canary_types_sql + canaries.create(true) + canaries.first_rows() + canaries.tables[0].insert(900));
    group.on_target(canaries.create_on_target());
    const TextFile rules(canaries.rules());
    const Texts debug{"--log-level", "debug"};
    group.always(debug, debug);
    const std::map<std::string, std::string> environment{{"TMPDIR", temporary_directory("direct_canary")}};
    group.start_direct_replicator({"--copy-and-stream", "--track-ddl"}, environment);
    const Finished refused = run(group.worker_argv("postgres", group.direct({"--rules-config", rules.path()})));
    CHECK(refused.code == 1);
    CHECK_MESSAGE(contains(refused.err, "refused"), refused.err);
    look("log of a worker that stopped", refused.err);
    group.on_target("ALTER TABLE " + canaries.tables[0].name + " DROP CONSTRAINT refused");
    group.start_direct_worker({"--rules-config", rules.path()}, environment);
    group.settle();
    for (const CanaryTable& table : canaries.tables)
        CHECK_MESSAGE(group.target_scalar("SELECT count(*) FROM " + table.name) ==
                          group.source_scalar("SELECT count(*) FROM " + table.name),
                      table.name);
    CHECK(group.messages("copy") == 0);
    look("stream", messages_of(*group.broker, group.names().stream));
    look("bucket", keys_of(*group.broker, group.names()));
    look("target", dump(group.target_url()));
    look("log", group.replicator().err() + group.worker().err());
    look("temporary files", all_files(environment.at("TMPDIR")));
    CHECK_FALSE(found_canary(dump(group.source_url())).empty());
    group.stop();
}
