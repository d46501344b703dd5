// A connection in logical replication mode (manual, "Streaming Replication Protocol"): creates slots, exports their
// snapshots and reads the stream of a slot.
//
// Until start_replication() every call waits as sql::Connection does, watching the stop token. After that only wait()
// blocks, and nothing looks at the stop token: the reading loop must still be able to confirm what it has received
// after a stop was requested.
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

enum class SlotLife {
    permanent,
    failover,  // permanent, and standbys keep a copy of it; PostgreSQL 17 or later, not on a standby
    temporary,
};
enum class SlotSnapshot { nothing, exported };

struct PgoutputOptions {
    // Without transactions that have a replication origin; needs filters_origins().
    bool unmarked_only = false;
    // Protocol version 2, and transactions come while they are running once they are larger than
    // logical_decoding_work_mem.
    bool streaming = false;
};

struct CreatedSlot {
    Lsn consistent_point;
    std::string snapshot;  // for SET TRANSACTION SNAPSHOT; valid until this connection's next command or its end
};

class ReplicationConnection {
   public:
    // `options` as for an ordinary connection; replication=database is added.
    explicit ReplicationConnection(const ConnectOptions& options, std::stop_token stop = {});

    SystemIdentity identify_system();
    // Waits for every writing transaction that is open now; `tick` is called about every 100 ms while it waits.
    // Killed or stopped halfway, it may leave a slot: the caller drops it over another connection.
    CreatedSlot create_slot(const std::string& name, SlotLife life, SlotSnapshot snapshot,
                            std::function<void()> tick = {});

    // A slot created by this connection, so that a temporary one can be dropped before the connection closes.
    void drop_slot(const std::string& name);

    // START_REPLICATION SLOT slot LOGICAL 0/0 with pgoutput and messages on: the server continues from the slot's
    // confirmed position. (It accepts a start above the WAL's end and then silently skips commits.)
    void start_replication(const std::string& slot, const std::string& publication, PgoutputOptions options = {});
    // From version 16 on.
    [[nodiscard]] bool filters_origins() const noexcept { return connection_.server_version() >= 160000; }

    // The next CopyData payload ('w' XLogData or 'k' keepalive); nothing when none has arrived *yet*, so call it
    // until then, and wait() afterwards. Never blocks. The view is valid until the next call. Throws a retry
    // Error when the server ended the stream or the connection was lost.
    std::optional<std::string_view> receive();
    // Waits until there may be something to receive, at most this long; 0 only checks. Sends any
    // status not yet sent. False on timeout. Does not look at the stop token: keep the time short.
    bool wait(int timeout_ms);

    // Standby status update. Never blocks: what the socket does not accept now is sent by the next wait() or status.
    void send_status(Lsn written, Lsn flushed, Lsn applied, bool reply_requested = false);
    // Ends the stream cleanly, so that the server has read every status sent before; waits at most this long.
    // False when the server did not answer in time or the connection was lost. The connection can then only be closed.
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
