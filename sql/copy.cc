#include <libpq-fe.h>

#include <stdexcept>

#include "sql/connection.h"

namespace pgsluice::sql {

namespace {

constexpr std::size_t flush_bytes = 64 * 1024;
constexpr int abandon_timeout_ms = 2000;

// Reads and discards what is left, so that the connection can be used again. Gives up when that takes too long; the
// next statement on the connection then fails.
void read_away(Connection& connection) {
    for (;;) {
        char* row = nullptr;
        const int length = PQgetCopyData(connection.raw(), &row, 1);
        PQfreemem(row);
        if (length < 0) break;
        if (length > 0) continue;
        if (!connection.wait(false, abandon_timeout_ms) || PQconsumeInput(connection.raw()) == 0) return;
    }
    while (connection.next_result()) {
    }
}

}  // namespace

// Throws unless the server enters the wanted state.
void Connection::start_copy(const std::string& statement, std::string_view doing, int wanted_status) {
    send(statement, doing);
    std::optional<Result> failed = next_result();
    if (failed && PQresultStatus(failed->raw()) == wanted_status) return;
    while (next_result()) {
    }
    throw failure(failed ? &*failed : nullptr);
}

// The command's own result, which follows the data; throws if it is an error.
std::int64_t Connection::finish_copy() {
    std::optional<Result> result = next_result();
    while (next_result()) {
    }
    if (!result || PQresultStatus(result->raw()) != PGRES_COMMAND_OK) throw failure(result ? &*result : nullptr);
    return result->affected();
}

CopyOut Connection::copy_out(const std::string& statement, std::string_view doing) {
    start_copy(statement, doing, PGRES_COPY_OUT);
    return CopyOut(*this);
}

CopyIn Connection::copy_in(const std::string& statement, std::string_view doing) {
    start_copy(statement, doing, PGRES_COPY_IN);
    return CopyIn(*this);
}

CopyOut::~CopyOut() {
    if (connection_ == nullptr) return;
    try {
        connection_->cancel();
        read_away(*connection_);
    } catch (...) {  // lost or interrupted: the connection can only be closed
    }
}

std::optional<std::string_view> CopyOut::next() {
    if (connection_ == nullptr) return std::nullopt;
    for (;;) {
        char* row = nullptr;
        const int length = PQgetCopyData(connection_->raw(), &row, 1);
        buffer_ = {row, [](void* owned) noexcept { PQfreemem(owned); }};
        if (length > 0) return std::string_view(row, static_cast<std::size_t>(length));
        if (length < 0) {
            std::exchange(connection_, nullptr)->finish_copy();
            return std::nullopt;
        }
        connection_->wait(false);
        if (PQconsumeInput(connection_->raw()) == 0) {
            throw std::exchange(connection_, nullptr)->failure();
        }
    }
}

CopyIn::~CopyIn() {
    if (connection_ == nullptr) return;
    try {
        PQputCopyEnd(connection_->raw(), "abandoned");
        connection_->flush();
        while (connection_->next_result()) {
        }
    } catch (...) {  // lost or interrupted: closing the connection makes the COPY fail as well
    }
}

void CopyIn::write(std::string_view bytes) {
    if (connection_ == nullptr) throw std::logic_error("write to a COPY that has ended");
    while (!bytes.empty()) {
        const auto piece = bytes.substr(0, flush_bytes);
        if (PQputCopyData(connection_->raw(), piece.data(), static_cast<int>(piece.size())) < 0) {
            throw std::exchange(connection_, nullptr)->failure();
        }
        bytes.remove_prefix(piece.size());
        unflushed_ += piece.size();
        // A non-blocking libpq buffers without a limit, so the limit is here.
        if (unflushed_ >= flush_bytes) {
            connection_->flush();
            unflushed_ = 0;
        }
    }
}

std::int64_t CopyIn::end() {
    if (connection_ == nullptr) throw std::logic_error("end of a COPY that has ended");
    Connection& connection = *std::exchange(connection_, nullptr);
    if (PQputCopyEnd(connection.raw(), nullptr) < 0) throw connection.failure();
    connection.flush();
    return connection.finish_copy();
}

}  // namespace pgsluice::sql
