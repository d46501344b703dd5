#include "replicator/wal/source.h"

#include <thread>

namespace pgsluice {

std::optional<std::string_view> ReplicationWalSource::receive() {
    return connection_ ? connection_->receive() : std::nullopt;
}

void ReplicationWalSource::wait(std::chrono::milliseconds limit) {
    if (!connection_) return nap(limit);
    connection_->wait(static_cast<int>(limit.count()));
}

void ReplicationWalSource::nap(std::chrono::microseconds time) { std::this_thread::sleep_for(time); }

// One LSN for written, flushed and applied: what the stream does not hold yet must not count as written anywhere.
void ReplicationWalSource::send_status(Lsn confirmed, bool reply_requested) {
    if (connection_) connection_->send_status(confirmed, confirmed, confirmed, reply_requested);
}

bool ReplicationWalSource::look(std::chrono::milliseconds silence) {
    constexpr std::chrono::seconds longest_usual(2);  // an answer comes with the next status
    if (silence < longest_usual || !connection_) {
        silence_.reset();
        return false;
    }
    if (!silence_) silence_.emplace(connection_->connection());
    return silence_->look(silence, "read the write-ahead log");
}

void ReplicationWalSource::close() noexcept {
    silence_.reset();
    connection_.reset();
}

void ReplicationWalSource::end(std::chrono::milliseconds limit) noexcept {
    if (connection_) connection_->end(static_cast<int>(limit.count()));
}

}  // namespace pgsluice
