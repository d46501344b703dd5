// run_replicator() in a thread, from a database of its own into a group of its own, and a reader of what it writes.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "replicator/replicator.h"
#include "stream/broker.h"
#include "tests/support/nats_server.h"
#include "tests/support/postgres_server.h"
#include "tests/support/wal_session.h"

namespace pgsluice::test {

class ReplicatorSession {
   public:
    // `setup` is run in the fresh database first.
    ReplicatorSession(PostgresServer& postgres, NatsServer& nats, const std::string& setup);
    ~ReplicatorSession();  // stops, drops the slot

    // Starts the replicator, and again after each retry Error; returns once it runs.
    void start();
    // Asks it to stop and waits; what it ended with, or "".
    std::string stop();
    void sql(const std::string& statements) { postgres_.sql(database_, statements); }
    std::string scalar(const std::string& query) { return postgres_.scalar(database_, query); }
    // Reads on until everything committed so far has come; checks that nothing is missing in between.
    bool read_all();
    // Reads what is there, as far as it comes within 10 ms a message: on a busy machine, perhaps nothing yet.
    void read();
    // Removes from the stream what was read.
    void trim() { broker->trim(options.names.stream, last_seq); }
    // The stream's last sequence; 0 while the server is away.
    std::uint64_t stored();
    // What a column of the slot's row says, joined with the walsender's.
    std::string slot(const std::string& expression);

    ReplicatorOptions options;
    MemoryStream seen;   // what the reader has read
    StreamSeq last_seq;  // of it
    std::unique_ptr<Broker> broker;
    std::atomic<int> sessions{0};  // started so far

   private:
    void run(const std::stop_token& stop);

    PostgresServer& postgres_;
    std::string database_;
    std::unique_ptr<Consumer> consumer_;
    std::mutex mutex_;
    std::string error_;
    std::atomic<bool> running_{false};
    std::jthread thread_;
};

}  // namespace pgsluice::test
