// A replicator in a thread, on a database and a group of its own.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "replicator/replicator.h"
#include "sql/error.h"
#include "stream/broker.h"
#include "stream/format/block_reader.h"
#include "tests/support/nats_server.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

namespace pgsluice::test {

class ReplicatorRun {
   public:
    explicit ReplicatorRun(const std::string& statements = {}, PostgresServer& server = shared_postgres())
        : server_(server), database(server.create_database()) {
        options.source = server.connect(database);
        options.source.role = "source";
        options.nats.url = shared_nats().url();
        options.names = names_for(database);
        options.progress_interval_ms = 100;
        options.feedback_interval_ms = 50;
        options.assume_sync_always = true;
        broker = Broker::connect(options.nats, [](LogLevel, std::string_view) {}, {});
        if (!statements.empty()) sql(statements);
    }
    ~ReplicatorRun() {
        end();
        server_.drop_slot(database, options.names.slot);
    }

    void sql(const std::string& statements) { server_.sql(database, statements); }
    std::string scalar(const std::string& query) { return server_.scalar(database, query); }
    int slots() {
        return std::stoi(
            scalar("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '" + options.names.slot + "'"));
    }
    int publications() { return std::stoi(scalar("SELECT count(*) FROM pg_publication")); }

    void start() {
        stop_ = {};
        running_ = false;
        failure_ = nullptr;
        thread_ = std::thread([this, given = options] {
            try {
                run_replicator(
                    given, log(), [this] { running_ = true; }, stop_.get_token());
            } catch (const Interrupted&) {
            } catch (...) {
                failure_ = std::current_exception();
            }
            ended_ = true;
        });
    }
    bool wait_running() {
        return eventually("the replicator runs", [&] { return running_ || ended_; }) && running_;
    }
    // Asks to stop, waits, rethrows what it died of.
    void stop() {
        stop_.request_stop();
        join();
    }
    // Asks to stop and waits, whatever it dies of.
    void end() {
        stop_.request_stop();
        end_thread();
    }
    // Waits until it ends by itself.
    void join() {
        end_thread();
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    }
    // Starts it and gives the error it ends with.
    Error error() {
        start();
        try {
            join();
        } catch (const Error& error) {
            return error;
        }
        return {Action::usage, "no error"};
    }

    std::optional<LastMessage> last() { return broker->last_message(options.names.stream); }
    std::vector<Message> messages() {
        std::vector<Message> found;
        const auto state = broker->stream_state(options.names.stream);
        if (!state || state->messages == 0) return found;
        const auto consumer = broker->consumer(options.names, state->first_seq);
        eventually("all messages are read", [&] {
            while (auto message = consumer->next(0)) found.push_back(std::move(*message));
            return !found.empty() && found.back().last_seq >= state->last_seq;
        });
        return found;
    }
    std::vector<MessageKind> kinds() {
        std::vector<MessageKind> found;
        for (const auto& message : messages()) {
            if (message.meta.kind != MessageKind::progress || found.empty() || found.back() != MessageKind::progress) {
                found.push_back(message.meta.kind);
            }
        }
        return found;
    }
    // All inserted rows' first values, from COPY text and from changes, in stream order.
    std::vector<std::string> inserted() {
        std::vector<std::string> found;
        BlockReader reader;
        for (const auto& message : messages()) {
            if (message.meta.kind == MessageKind::copy) {
                for (std::size_t from = 0; from < message.body.size();) {
                    const auto end = message.body.find('\n', from);
                    const auto line = message.body.substr(from, end - from);
                    found.emplace_back(line.substr(0, line.find('\t')));
                    from = end + 1;
                }
            }
            if (message.meta.kind != MessageKind::changes) continue;
            const auto block = reader.read(message.body);
            for (const auto& change : block->changes) {
                if (change.op == Op::insert) found.emplace_back(change.new_row[0].text());
            }
        }
        return found;
    }
    // And no snapshot is under way: it would be begun again by the next start, with the rows that it had sent.
    bool wait_inserted(std::size_t rows) {
        return eventually("the rows arrive",
                          [&] { return ended_ || (inserted().size() >= rows && !snapshot_under_way()); }) &&
               !ended_;
    }
    bool snapshot_under_way() {
        bool under_way = false;
        for (const MessageKind kind : kinds())
            if (kind == MessageKind::snapshot_begin || kind == MessageKind::snapshot_end)
                under_way = kind == MessageKind::snapshot_begin;
        return under_way;
    }
    bool logged(const std::string& part) {
        const std::lock_guard lock(lines_->mutex);
        return std::any_of(lines_->lines.begin(), lines_->lines.end(),
                           [&](const auto& line) { return line.find(part) != std::string::npos; });
    }

   private:
    // Outlives the run: a broken connection to NATS may speak from a thread of its own.
    struct Lines {
        std::mutex mutex;
        std::vector<std::string> lines;
    };
    Log log() {
        return [kept = lines_](LogLevel, std::string_view text) {
            const std::lock_guard lock(kept->mutex);
            kept->lines.emplace_back(text);
        };
    }
    void end_thread() {
        if (thread_.joinable()) thread_.join();
        ended_ = false;
    }

    PostgresServer& server_;
    std::stop_source stop_;
    std::thread thread_;
    std::atomic<bool> running_ = false;
    std::atomic<bool> ended_ = false;
    std::exception_ptr failure_;
    std::shared_ptr<Lines> lines_ = std::make_shared<Lines>();

   public:
    std::string database;
    ReplicatorOptions options;
    std::unique_ptr<Broker> broker;
};

}  // namespace pgsluice::test
