// A source database whose snapshot is taken into memory.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "replicator/snapshot/snapshot.h"
#include "replicator/source/publication.h"
#include "replicator/source/session.h"
#include "replicator/source/tables.h"
#include "stream/format/markers.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

namespace pgsluice::test {

// Keeps what is published; `before_each` may wait or throw.
class KeepingPublisher final : public Publisher {
   public:
    struct Kept {
        MessageMeta meta;
        std::string body;
        CopyHeader copy;
    };

    bool has_room() override { return true; }
    bool wait_for_room(int) override { return true; }
    void publish(const MessageMeta& meta, std::string_view body, const CopyHeader* copy) override {
        if (before_each) before_each(meta);
        messages.push_back({meta, std::string(body), copy != nullptr ? *copy : CopyHeader{}});
    }
    std::optional<Lsn> confirmed() override {
        return messages.empty() ? std::optional<Lsn>() : messages.back().meta.safe_flush_lsn;
    }
    std::uint64_t in_flight() override { return 0; }
    bool await_acks(int) override { return true; }

    std::vector<Kept> messages;
    std::function<void(const MessageMeta&)> before_each;
};

class SnapshotSource {
   public:
    explicit SnapshotSource(const std::string& statements = {}) : name(shared_postgres().create_database()) {
        options.source = shared_postgres().connect(name);
        options.source.role = "source";
        options.names = names_for(name);
        options.mode = ReplicatorMode::copy_and_stream;
        options.max_copy_workers = 3;
        if (!statements.empty()) sql(statements);
    }
    ~SnapshotSource() { shared_postgres().drop_slot(name, options.names.slot); }

    void sql(const std::string& statements) { shared_postgres().sql(name, statements); }
    std::string scalar(const std::string& query) { return shared_postgres().scalar(name, query); }
    int slots() {
        return std::stoi(
            scalar("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '" + options.names.slot + "'"));
    }

    // Makes the publication and copies everything.
    Lsn copy(std::stop_token stop = {}) {
        auto source = connect_source(options.source, stop);
        const auto log = [this](LogLevel level, std::string_view text) {
            const std::lock_guard lock(log_mutex);
            (level == LogLevel::warning ? warnings : lines).emplace_back(text);
        };
        const auto tables = resolve_tables(source, options, log);
        if (options.mode != ReplicatorMode::copy) {
            ensure_publication(source, options.names.publication, tables, options.publish_via_partition_root, log);
        }
        SnapshotJob job;
        job.tables = tables;
        job.slot = {options.names.slot, options.mode != ReplicatorMode::copy};
        return copy_snapshot(options, job, source, publisher, log, stop);
    }
    bool warned(const std::string& part) {
        const std::lock_guard lock(log_mutex);
        return std::any_of(warnings.begin(), warnings.end(),
                           [&](const auto& line) { return line.find(part) != std::string::npos; });
    }

    SnapshotBegin begin() { return decode_snapshot_begin(publisher.messages.at(0).body); }
    // The copied rows of a table, sorted, as COPY text.
    std::vector<std::string> rows(const std::string& table) {
        const auto tables = begin().tables;
        std::vector<std::string> found;
        for (const auto& message : publisher.messages) {
            if (message.meta.kind != MessageKind::copy || tables[message.copy.table].table != table) continue;
            for (std::size_t from = 0; from < message.body.size();) {
                const auto end = message.body.find('\n', from);
                found.push_back(message.body.substr(from, end - from));
                from = end + 1;
            }
        }
        std::sort(found.begin(), found.end());
        return found;
    }
    // The same as the server gives them now.
    std::vector<std::string> rows_now(const std::string& query) {
        auto source = connect_source(options.source, {});
        auto copy = source.copy_out("COPY (" + query + ") TO STDOUT");
        std::vector<std::string> found;
        while (const auto row = copy.next()) found.emplace_back(row->substr(0, row->size() - 1));
        std::sort(found.begin(), found.end());
        return found;
    }

    std::string name;
    ReplicatorOptions options;
    KeepingPublisher publisher;
    std::mutex log_mutex;
    std::vector<std::string> warnings;
    std::vector<std::string> lines;
};

}  // namespace pgsluice::test
