// A fresh target database and a sink on it.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "sinks/postgres/sink.h"
#include "tests/support/postgres_server.h"
#include "tests/support/sink_feed.h"

namespace pgsluice::test {

struct PostgresTarget {
    PostgresServer& server;
    std::string database = server.create_database();
    PostgresSinkOptions options;
    std::vector<std::string> log;
    std::stop_source stop;
    std::unique_ptr<Sink> sink;

    explicit PostgresTarget(PostgresServer& on = shared_postgres()) : server(on) {
        options.target = server.connect(database);
        options.target.role = "target";
        options.group = "g";
        options.worker = "postgres";
    }

    void sql(const std::string& statements) { server.sql(database, statements); }
    std::vector<std::string> rows(const std::string& query) { return server.rows(database, query); }
    std::string scalar(const std::string& query) { return server.scalar(database, query); }

    // From now on the sink connects as a role that may not set session_replication_role; the tables are its own.
    void as_plain_role(const std::string& create) {
        const std::string role = "plain_" + database;
        sql("CREATE ROLE " + role + " LOGIN; GRANT ALL ON DATABASE " + database + " TO " + role +
            "; GRANT ALL ON SCHEMA public TO " + role + "; SET ROLE " + role + "; " + create);
        options.target.user = role;
        options.target.url.clear();
    }

    // The message of the Error that a batch ends with; empty when it is applied.
    std::string failure(const Batch& batch, std::string* hint = nullptr) {
        try {
            sink->apply(batch);
        } catch (const Error& error) {
            if (hint != nullptr) *hint = error.hint();
            return error.what();
        }
        return "";
    }

    // Ends the sink as a crash would, and opens a new one.
    std::optional<SinkState> open(DeadLetters* dead_letters = nullptr) {
        sink.reset();
        sink = make_postgres_sink(
            options, [this](LogLevel, std::string_view line) { log.emplace_back(line); }, stop.get_token(),
            dead_letters);
        return sink->open();
    }
};

using Lines = std::vector<std::string>;

struct Parked : DeadLetters {
    Lines lines;
    void park(const Change& change, std::string_view reason, std::uint64_t /*reload*/) override {
        lines.push_back(to_string(change.position) + " " + std::string(reason));
    }
};

}  // namespace pgsluice::test
