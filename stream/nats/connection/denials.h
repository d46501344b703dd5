// Permissions that the server has said are missing.
//
// It says so apart from the operation: that one just gets no answer. So what was denied is remembered here, and the
// operation that waited in vain looks for it.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/error.h"

namespace pgsluice::nats {

struct Denial {
    bool publish = true;  // or subscribe
    std::string subject;
    bool operator==(const Denial&) const = default;
};

// From the server's words, `Permissions Violation for Publish to "a.b"`; nothing when they are others.
std::optional<Denial> parse_denial(std::string_view text);

// What has to be allowed for a subject that ends in a name made for one connection or consumer: "_INBOX.>".
std::string pattern_of(std::string_view subject, std::string_view inbox_prefix);

// `unable to <doing>: the user may not publish to 'a.b'`, and where to allow it. A stop Error.
Error denied(std::string_view doing, const Denial& denial);

// Calls may come from several threads at a time.
class Denials {
   public:
    using Time = std::chrono::steady_clock::time_point;

    // Kept as what has to be allowed: "_INBOX.>" for an inbox. Whether it was not known yet.
    bool add(Denial denial, std::string_view inbox_prefix, Time now);
    // Why an operation gets no answer that needs the permission to publish to a subject with `part` in it: that is
    // missing, or the one to subscribe to its answers. What was denied to an operation before is not its reason.
    std::optional<Denial> find(std::string_view part, Time since);
    [[nodiscard]] bool any() const noexcept { return any_; }
    // Whether it is denied to publish to exactly this subject, or to subscribe to answers.
    std::optional<Denial> of(std::string_view subject, std::string_view inbox_prefix);
    // After a reconnect: everything is tried again.
    void clear();

   private:
    struct Entry {
        Denial denial;
        Time at;
    };
    std::mutex mutex_;
    std::vector<Entry> entries_;
    std::atomic<bool> any_{false};
};

}  // namespace pgsluice::nats
