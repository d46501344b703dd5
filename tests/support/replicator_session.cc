#include "tests/support/replicator_session.h"

#include <chrono>
#include <exception>

#include "sql/error.h"
#include "tests/support/process.h"
#include "tests/support/stream_group.h"

namespace pgsluice::test {

ReplicatorSession::ReplicatorSession(PostgresServer& postgres, NatsServer& nats, const std::string& setup)
    : postgres_(postgres), database_(postgres.create_database()) {
    sql(setup);
    seen.keep_lines = false;
    options.source = postgres.connect(database_);
    options.source.role = "source";
    options.nats.url = nats.url();
    options.names = names_for(database_);
    broker = Broker::connect(options.nats, no_log(), {});
}

ReplicatorSession::~ReplicatorSession() {
    stop();
    postgres_.drop_slot(database_, options.names.slot);
}

void ReplicatorSession::start() {
    error_.clear();
    running_ = false;
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    eventually("the replicator runs", [&] { return running_.load(); });
}

void ReplicatorSession::run(const std::stop_token& stop) {
    while (true) {
        try {
            ++sessions;
            run_replicator(
                options, no_log(), [this] { running_ = true; }, stop);
            return;
        } catch (const Interrupted&) {
            return;
        } catch (const Error& error) {
            error_ = error.what();
            if (error.action() != Action::retry || stop.stop_requested()) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        error_.clear();
    }
}

std::string ReplicatorSession::stop() {
    if (thread_.joinable()) {
        thread_.request_stop();
        thread_.join();
    }
    return error_;
}

void ReplicatorSession::read() {
    try {
        if (!consumer_) consumer_ = broker->consumer(options.names, StreamSeq{last_seq.value + 1});
        while (const auto message = consumer_->next(10)) {
            seen.store(message->meta, message->body);
            last_seq = message->last_seq;
        }
    } catch (const Error& error) {
        if (error.action() != Action::retry) throw;
        consumer_.reset();
    }
}

std::uint64_t ReplicatorSession::stored() {
    try {
        const auto state = broker->stream_state(options.names.stream);
        return state ? state->last_seq.value : 0;
    } catch (const Error& error) {
        if (error.action() != Action::retry) throw;
        return 0;
    }
}

bool ReplicatorSession::read_all() {
    const auto target = *parse_lsn(scalar("SELECT pg_current_wal_lsn()"));
    return eventually(
        "the reader reaches " + to_string(target),
        [&] {
            read();
            return seen.last().safe_flush_lsn >= target;
        },
        std::chrono::seconds(60));
}

std::string ReplicatorSession::slot(const std::string& expression) {
    return scalar("SELECT " + expression +
                  " FROM pg_replication_slots s LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid"
                  " WHERE slot_name = '" +
                  options.names.slot + "'");
}

}  // namespace pgsluice::test
