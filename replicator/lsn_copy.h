// Keeps a copy of the confirmed LSN somewhere slow (the KV bucket), without making the streaming loop wait for it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "sql/lsn.h"

namespace pgsluice {

class LsnCopy {
   public:
    // `keep` is called from a thread of its own, at most once a second, with the newest LSN when that has changed. It
    // must not throw. A call that is under way when the copy is destroyed is waited for.
    explicit LsnCopy(std::function<void(Lsn)> keep);

    void set(Lsn lsn);

   private:
    void run(const std::stop_token& stop);

    std::function<void(Lsn)> keep_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    Lsn newest_;
    Lsn kept_;
    std::jthread thread_;
};

}  // namespace pgsluice
