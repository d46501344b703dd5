// A connection in logical replication mode (manual, "Streaming Replication Protocol"): creates slots, exports their
// snapshots and reads the stream of a slot.
//
// Up to start_replication() every call waits as sql::Connection does, watching the stop token. Afterwards nothing
// blocks but wait(), and nothing looks at the stop token any more: the loop that reads must still be able to confirm
// what it has taken after somebody asked it to stop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "sql/connection.h"
#include "sql/lsn.h"

namespace pgsluice::sql {

struct SystemIdentity {
    std::string system_identifier;  // of the cluster, decimal
    std::uint32_t timeline = 0;
    Lsn wal_end;  // flushed so far
    std::string dbname;
};

enum class SlotLife { permanent, temporary };
enum class SlotSnapshot { nothing, exported };

struct CreatedSlot {
    Lsn consistent_point;
    std::string snapshot;  // for SET TRANSACTION SNAPSHOT; valid until this connection's next command or its end
};

class ReplicationConnection {
   public:
    // `options` as for an ordinary connection; replication=database is added.
    explicit ReplicationConnection(const ConnectOptions& options, std::stop_token stop = {});

    SystemIdentity identify_system();
    // Waits for every transaction that is open now and writes; `tick` is called about every 100 ms meanwhile.
    // Killed or stopped in the middle it may leave a slot behind: the caller drops it over another connection.
    CreatedSlot create_slot(const std::string& name, SlotLife life, SlotSnapshot snapshot,
                            std::function<void()> tick = {});

    // Of this connection's own making, so that a temporary one is gone before the connection is.
    void drop_slot(const std::string& name);

    // START_REPLICATION SLOT slot LOGICAL 0/0 with pgoutput proto_version 1 and messages on: the server goes on from
    // the slot's confirmed position. (A start above the WAL's end would be accepted and skip commits silently.)
    void start_replication(const std::string& slot, const std::string& publication);

    // The next CopyData payload ('w' XLogData or 'k' keepalive); nothing when nothing is here *now*, so calling it
    // until then is the drain of "drain, then nap". Never blocks. The view is valid until the next call. A retry Error
    // when the server ended the stream or the connection broke.
    std::optional<std::string_view> receive();
    // Waits until there may be something to receive, at most this long; 0 only looks. Sends what status is still
    // unsent. False when the time is over. Does not look at the stop token: keep it short.
    bool wait(int timeout_ms);

    // Standby status update. Never blocks: what the socket does not take now goes with the next wait() or status.
    void send_status(Lsn written, Lsn flushed, Lsn applied, bool reply_requested = false);
    // Ends the stream properly, so that the server has read every status sent before; at most this long.
    // False when it did not answer in time (or had gone). The connection is then only good for closing.
    bool end(int timeout_ms) noexcept;

    [[nodiscard]] Connection& connection() noexcept { return connection_; }
    [[nodiscard]] int socket() const noexcept { return connection_.socket(); }

   private:
    [[nodiscard]] std::optional<std::string_view> take();
    [[noreturn]] void fail(int code);

    Connection connection_;
    std::unique_ptr<char, void (*)(void*) noexcept> buffer_{nullptr, [](void*) noexcept {}};
};

}  // namespace pgsluice::sql
