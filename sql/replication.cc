#include "sql/replication.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <chrono>
#include <stdexcept>

#include "sql/big_endian.h"
#include "sql/quote.h"
#include "sql/sqlstate.h"
#include "sql/timestamp.h"

namespace pgsluice::sql {

namespace {

using Clock = std::chrono::steady_clock;

// Under TLS, poll() does not see the part of a record that did not fit into libpq's buffer. A record has at most 16
// KiB, and libpq reads 8 KiB at a time.
constexpr int tls_tries = 3;

ConnectOptions for_replication(ConnectOptions options) {
    options.settings.emplace_back("replication", "database");
    return options;
}

Connection connect_walsender(const ConnectOptions& options, std::stop_token stop) {
    try {
        return Connection(for_replication(options), std::move(stop));
    } catch (const SqlError& error) {
        if (error.sqlstate() != "42501") throw;
        throw SqlError(
            error.action(), error.what(), error.sqlstate(),
            "Give the role the right to replicate: ALTER ROLE ... REPLICATION (on managed services grant the provided "
            "role instead, e.g. rds_replication).");
    }
}

Lsn lsn_at(const Result& result, int column) {
    const auto lsn = parse_lsn(result.text(0, column));
    if (!lsn) throw std::logic_error("the server sent a malformed LSN");
    return *lsn;
}

// PostgreSQL 14 does not know the list in parentheses, nor before 17 what it is needed for.
const char* slot_options(SlotLife life, SlotSnapshot snapshot) {
    const bool exported = snapshot == SlotSnapshot::exported;
    if (life == SlotLife::failover)
        return exported ? "(SNAPSHOT 'export', FAILOVER true)" : "(SNAPSHOT 'nothing', FAILOVER true)";
    return exported ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT";
}

bool readable(int socket) {
    pollfd watched{socket, POLLIN, 0};
    return ::poll(&watched, 1, 0) > 0;
}

}  // namespace

ReplicationConnection::ReplicationConnection(const ConnectOptions& options, std::stop_token stop)
    : connection_(connect_walsender(options, std::move(stop))) {}

SystemIdentity ReplicationConnection::identify_system() {
    const Result result = connection_.exec("IDENTIFY_SYSTEM", "identify the source");
    return {result.text(0, 0), static_cast<std::uint32_t>(result.integer(0, 1)), lsn_at(result, 2), result.text(0, 3)};
}

CreatedSlot ReplicationConnection::create_slot(const std::string& name, SlotLife life, SlotSnapshot snapshot,
                                               std::function<void()> tick) {
    connection_.on_tick(std::move(tick));
    const Result result =
        connection_.exec(fmt::format("CREATE_REPLICATION_SLOT {}{} LOGICAL pgoutput {}", quote_identifier(name),
                                     life == SlotLife::temporary ? " TEMPORARY" : "", slot_options(life, snapshot)),
                         fmt::format("create slot '{}' on the {}", name, connection_.options().role));
    connection_.on_tick({});
    const auto exported = result.get(0, 2);
    return {lsn_at(result, 1), exported ? std::string(*exported) : std::string()};
}

void ReplicationConnection::drop_slot(const std::string& name) {
    connection_.exec(fmt::format("DROP_REPLICATION_SLOT {}", quote_identifier(name)),
                     fmt::format("drop slot '{}' on the {}", name, connection_.options().role));
}

void ReplicationConnection::start_replication(const std::string& slot, const std::string& publication,
                                              PgoutputOptions options) {
    const std::string statement =
        fmt::format("START_REPLICATION SLOT {} LOGICAL 0/0 (proto_version {}, publication_names {}, messages 'true'{})",
                    quote_identifier(slot), options.streaming ? "'2', streaming 'on'" : "'1'",
                    quote_literal(quote_identifier(publication)), options.unmarked_only ? ", origin 'none'" : "");
    const std::string doing = fmt::format("start replication from slot '{}'", slot);
    if (PQsendQuery(connection_.raw(), statement.c_str()) == 0) throw connection_.error(doing);
    connection_.flush();
    const auto result = connection_.next_result();
    if (result && PQresultStatus(result->raw()) == PGRES_COPY_BOTH) return;
    const SqlError error = connection_.error(doing, result ? &*result : nullptr);
    // An invalidated slot, which was not read while tables were copied: the next start says what to do.
    if (error.sqlstate() == "55000") throw retry_error(error.what());
    throw error;
}

std::optional<std::string_view> ReplicationConnection::take() {
    char* data = nullptr;
    const int length = PQgetCopyData(connection_.raw(), &data, 1);
    buffer_ = {data, [](void* owned) noexcept { PQfreemem(owned); }};
    if (length > 0) return std::string_view(data, static_cast<std::size_t>(length));
    if (length < 0) fail(length);
    return std::nullopt;
}

std::optional<std::string_view> ReplicationConnection::receive() {
    if (auto data = take()) return data;
    int tries = PQsslInUse(connection_.raw()) != 0 ? tls_tries : 0;
    while (readable(connection_.socket()) || tries-- > 0) {
        if (PQconsumeInput(connection_.raw()) == 0) fail(-2);
        if (auto data = take()) return data;
    }
    return std::nullopt;
}

namespace {

SqlError of_decoding(const SqlError& error) {
    const Action action = action_for_decoding(error.sqlstate());
    if (action == error.action()) return error;
    return {action, error.what(), error.sqlstate(),
            "The server failed to decode its log, as its own log says in more words. If this does not pass, the log "
            "cannot be read with this slot any more: stop the replicator, and run it once with --copy-and-stream "
            "--resnapshot."};
}

}  // namespace

void ReplicationConnection::fail(int code) {
    const std::string doing = "read the replication stream";
    if (code == -1) {  // the server ended the stream; the reason may follow
        PGresult* result = PQgetResult(connection_.raw());
        const Result owned(result);
        if (result != nullptr && PQresultStatus(result) == PGRES_FATAL_ERROR)
            throw of_decoding(connection_.error(doing, &owned));
        throw retry_error(fmt::format("unable to {}: the {} ended the stream", doing, connection_.options().role));
    }
    throw connection_.error(doing);
}

bool ReplicationConnection::wait(int timeout_ms) {
    const int unsent = PQflush(connection_.raw());
    if (unsent < 0) fail(-2);
    pollfd watched{connection_.socket(), static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN), 0};
    return ::poll(&watched, 1, timeout_ms) > 0;
}

void ReplicationConnection::send_status(Lsn written, Lsn flushed, Lsn applied, bool reply_requested) {
    std::string message = "r";
    append_big_endian(message, written.value);
    append_big_endian(message, flushed.value);
    append_big_endian(message, applied.value);
    append_big_endian(message, static_cast<std::uint64_t>(postgres_time_us()));
    message.push_back(reply_requested ? 1 : 0);
    if (PQputCopyData(connection_.raw(), message.data(), static_cast<int>(message.size())) < 0 ||
        PQflush(connection_.raw()) < 0) {
        throw connection_.error("send a status to the replication stream");
    }
}

bool ReplicationConnection::end(int timeout_ms) noexcept {
    const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
    try {
        if (PQputCopyEnd(connection_.raw(), nullptr) < 0) return false;
        while (Clock::now() < deadline) {
            char* data = nullptr;
            const int length = PQgetCopyData(connection_.raw(), &data, 1);
            PQfreemem(data);
            if (length < 0) return length == -1;
            if (length > 0) continue;
            wait(20);
            if (PQconsumeInput(connection_.raw()) == 0) return false;
        }
    } catch (...) {  // the connection was lost
    }
    return false;
}

}  // namespace pgsluice::sql
