// A value that one thread replaces now and then, and others copy.
#pragma once

#include <mutex>
#include <optional>
#include <utility>

namespace pgsluice {

template <typename T>
class Latest {
   public:
    void set(std::optional<T> value) {
        const std::lock_guard lock(mutex_);
        value_ = std::move(value);
    }
    [[nodiscard]] std::optional<T> get() const {
        const std::lock_guard lock(mutex_);
        return value_;
    }

   private:
    mutable std::mutex mutex_;
    std::optional<T> value_;
};

}  // namespace pgsluice
