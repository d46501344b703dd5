// The streaming loop on a real source, publishing into memory: for live tests of the replicator's side alone.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "replicator/wal/stream.h"
#include "sql/connection.h"
#include "stream/message.h"
#include "stream/publisher.h"
#include "tests/support/postgres_server.h"

namespace pgsluice::test {

// A stream in memory that outlives the sessions writing to it. Keeps one line per change and commit, in order:
//   "insert public.t 1 'a' NULL", "update public.t [key 1] 2 unchanged", "commit".
class MemoryStream {
   public:
    void store(const MessageMeta& meta, std::string_view body);

    [[nodiscard]] ResumePoint last() const;
    [[nodiscard]] std::vector<std::string> lines() const;
    [[nodiscard]] std::size_t count(std::string_view prefix) const;  // of lines that start so
    [[nodiscard]] std::uint64_t messages() const;
    [[nodiscard]] std::uint64_t changes() const;
    // Largest body so far.
    [[nodiscard]] std::size_t largest() const;
    // False once a position did not rise, i.e. a change came twice or out of order.
    [[nodiscard]] bool ordered() const;

    std::atomic<std::uint64_t> room_for{UINT64_MAX};  // full once it holds so many changes
    std::atomic<bool> keep_lines{true};               // false: they are only counted
    Lsn start;                                        // safe_flush_lsn before the first message

   private:
    mutable std::mutex mutex_;
    std::optional<MessageMeta> last_;
    std::vector<std::string> lines_;
    Position position_;
    std::uint64_t messages_ = 0;
    std::uint64_t changes_ = 0;
    std::size_t largest_ = 0;
    bool ordered_ = true;
};

// A database of its own with publication and slot "p" and "s_<database>", made after `setup` has run.
class WalSession {
   public:
    WalSession(PostgresServer& server, const std::string& setup);
    ~WalSession();  // stops, drops the slot

    // Starts a session from the stream's end in a thread of its own.
    void start();
    // Asks it to stop and waits; what it threw, or "".
    std::string stop();
    // Waits for it to end by itself; fails the test when it does not.
    std::string join();
    void sql(const std::string& statements) { server_.sql(database_, statements); }
    std::string scalar(const std::string& query) { return server_.scalar(database_, query); }
    // Waits until everything committed so far is in the stream.
    bool caught_up();
    [[nodiscard]] std::string slot() const { return slot_; }
    // The slot's confirmed_flush_lsn.
    Lsn confirmed();

    MemoryStream stream;
    ReplicatorOptions options;
    std::string start_settings;  // e.g. "-c wal_sender_timeout=4s"

   private:
    void run(const std::stop_token& stop);

    PostgresServer& server_;
    std::string database_;
    std::string slot_;
    std::string error_;
    std::atomic<bool> running_{false};
    std::jthread thread_;
};

}  // namespace pgsluice::test
