// A group that begins with a dump, taken by the command that its replicator prints, while writers run.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "tests/live/compare_fixture.h"
#include "tests/support/postgres_programs.h"
#include "tests/support/process.h"
#include "tests/support/text.h"
#include "tests/support/writers.h"

namespace pgsluice::test {

inline constexpr const char* bootstrap_tables =
    "CREATE TYPE size AS ENUM ('s', 'm');"
    "CREATE TABLE orders (id bigserial PRIMARY KEY, n int, size size DEFAULT 'm');"
    "CREATE TABLE visits (n int, note text);"  // no key: a row that comes twice stays
    "CREATE TABLE marks (n int, note text); ALTER TABLE marks REPLICA IDENTITY FULL;"
    "CREATE TABLE events (n int, part int, PRIMARY KEY (n, part)) PARTITION BY LIST (part);"
    "CREATE TABLE events_0 PARTITION OF events FOR VALUES IN (0);"
    "CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);"
    "CREATE SEQUENCE invoices;"
    "INSERT INTO orders (n) SELECT i FROM generate_series(1, 2000) i;"
    "INSERT INTO visits SELECT i % 100, 'before' FROM generate_series(1, 2000) i;"
    "INSERT INTO marks SELECT i % 10, 'same' FROM generate_series(1, 100) i;"
    "INSERT INTO events SELECT i, i % 2 FROM generate_series(1, 1000) i; SELECT setval('invoices', 700)";

inline std::string bootstrap_transaction(int number) {
    const std::string n = std::to_string(number);
    return "BEGIN; INSERT INTO public.orders (n) VALUES (" + n + "); INSERT INTO public.visits VALUES (" + n +
           ", 'made'), (" + n + ", 'made'); UPDATE public.marks SET note = '" + n +
           "' WHERE ctid = (SELECT ctid FROM public.marks LIMIT 1); UPDATE public.orders SET size = 's' WHERE id = " +
           n + "; INSERT INTO public.events VALUES (100000 + " + n + ", " + n +
           " % 2); DELETE FROM public.events WHERE n = " + n + "; COMMIT";
}

struct Bootstrap : Pipeline {
    const std::vector<std::string> tables{"orders", "visits", "marks", "events_0", "events_1"};
    const std::string directory = temporary_directory("bootstrap");
    std::optional<Writers> writers;

    explicit Bootstrap(PipelineServers servers = shared_servers()) : Pipeline(servers) {
        on_target("DROP TABLE settled");
        on_source(bootstrap_tables);
        writers.emplace(servers.source.connect(source_db()), bootstrap_transaction, 1);
        writers->await(20);
    }

    void prepare(std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"--bootstrap", "prepare"});
        start_replicator(more);
        await_command();
    }
    void await_command() {
        REQUIRE(says(replicator(), "bootstrap: waiting for a dump"));
        eventually("it prints the command", [&] { return contains(replicator().out(), "--bootstrap complete"); });
    }
    // As it is printed, word for word.
    std::string printed(const std::string& program = "pg_dump") {
        const std::string out = replicator().out();
        const auto begin = out.find("\n  " + program + " ");
        REQUIRE(begin != std::string::npos);
        return out.substr(begin + 1, out.find('\n', begin + 1) - begin - 1);
    }
    Finished in_shell(const std::string& command) {
        return run({"/usr/bin/env", "PATH=" + postgres_programs() + ":" + std::getenv("PATH"), "sh", "-c",
                    "cd " + directory + " && " + command});
    }
    [[nodiscard]] std::string restore_command() const {
        return "pg_restore --exit-on-error --dbname='" + target_url() + "' " + group() + ".dump";
    }
    void dump_and_restore() {
        must_succeed(in_shell(printed()));
        must_succeed(in_shell(restore_command()));
    }
    [[nodiscard]] std::vector<std::string> step_argv(const std::string& verb) const {
        return command_argv("reader", {"replicator", "--bootstrap", verb});
    }
    Finished step(const std::string& verb) { return run(step_argv(verb)); }
    Finished status(std::vector<std::string> more = {}) {
        more.insert(more.begin(), "status");
        return run(command_argv("reader", more));
    }
    void await_state(const std::string& text) {
        std::string last;
        const bool shown = eventually("status says " + text, [&] {
            last = status().out;
            return contains(last, text);
        });
        if (!shown) MESSAGE(last);
    }
    // Source and target hold the same, also by pgsluice compare; sequences are as restored.
    void check_same() {
        settle();
        check_all_rows();
        must_succeed(run_compare(*this));
    }
    void check_all_rows() {
        writers->stop();
        check_equal(tables);
        CHECK(target_scalar("SELECT last_value FROM invoices") == "700");
    }
};

}  // namespace pgsluice::test
