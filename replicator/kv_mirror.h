// Keeps a copy of a value that people may look at (the confirmed LSN, a copy's figures) in the KV bucket, without
// making the data wait for it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace pgsluice {

class KvMirror {
   public:
    // `keep` is called from a thread of its own, at most once a second, with the newest value when that has changed. It
    // must not throw. The last value is kept before the destructor returns.
    explicit KvMirror(std::function<void(const std::string&)> keep);

    void set(std::string value);

   private:
    void run(const std::stop_token& stop);

    std::function<void(const std::string&)> keep_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::string newest_;
    std::string kept_;
    std::jthread thread_;
};

}  // namespace pgsluice
