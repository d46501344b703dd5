#include "replicator/wal/source.h"

#include <thread>

namespace pgsluice {

void ReplicationWalSource::wait(std::chrono::milliseconds limit) { connection_.wait(static_cast<int>(limit.count())); }

void ReplicationWalSource::nap(std::chrono::microseconds time) { std::this_thread::sleep_for(time); }

// One LSN for written, flushed and applied: what the stream does not hold yet must not count as written anywhere.
void ReplicationWalSource::send_status(Lsn confirmed, bool reply_requested) {
    connection_.send_status(confirmed, confirmed, confirmed, reply_requested);
}

bool ReplicationWalSource::look(std::chrono::milliseconds silence) {
    constexpr std::chrono::seconds longest_usual(2);  // an answer comes with the next status
    if (silence < longest_usual) {
        silence_.reset();
        return false;
    }
    if (!silence_) silence_.emplace(connection_.connection());
    return silence_->look(silence, "read the write-ahead log");
}

void ReplicationWalSource::end(std::chrono::milliseconds limit) noexcept {
    connection_.end(static_cast<int>(limit.count()));
}

}  // namespace pgsluice
