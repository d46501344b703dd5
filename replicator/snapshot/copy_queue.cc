#include "replicator/snapshot/copy_queue.h"

#include <chrono>

namespace pgsluice {

bool CopyQueue::push(CopiedBlock block, const std::stop_token& stop) {
    {
        std::unique_lock lock(mutex_);
        const std::size_t size = block.text.size();
        const bool room = changed_.wait(lock, stop, [&] { return blocks_.empty() || bytes_ + size <= max_bytes_; });
        if (!room || stop.stop_requested()) return false;
        bytes_ += size;
        blocks_.push_back(std::move(block));
    }
    changed_.notify_all();
    return true;
}

std::optional<CopiedBlock> CopyQueue::pop(int timeout_ms) {
    std::optional<CopiedBlock> block;
    {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return failure_ || !blocks_.empty(); });
        if (failure_) std::rethrow_exception(failure_);
        if (blocks_.empty()) return std::nullopt;
        block = std::move(blocks_.front());
        blocks_.pop_front();
        bytes_ -= block->text.size();
    }
    changed_.notify_all();
    return block;
}

void CopyQueue::fail(std::exception_ptr reason) {
    {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::move(reason);
    }
    changed_.notify_all();
}

std::string CopyQueue::buffer() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return {};
    std::string buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
}

void CopyQueue::give_back(std::string buffer) {
    if (buffer.capacity() > kept_buffer_bytes_) return;
    buffer.clear();
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(buffer));
}

}  // namespace pgsluice
