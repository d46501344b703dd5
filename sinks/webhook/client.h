// Posting bodies to one URL, several at a time: libcurl's multi interface. Knows no changes and does not repeat.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sinks/options.h"

namespace pgsluice {

struct HttpOutcome {
    enum class Kind {
        accepted,   // 2xx; whatever becomes of the answer's body
        retry,      // the receiver is away or busy: a network error, 408, 425, 429, 502, 503, 504
        failed,     // it is there, but failed: any other 5xx. A repeat may do
        too_large,  // 413: fewer changes at a time may do
        refused,    // any other answer; redirects are not followed
        broken,     // it cannot work until the settings change: a TLS certificate
    };
    Kind kind = Kind::accepted;
    std::string reason;  // "the receiver answered 500", "Couldn't connect to server"; no part of URL, headers or body
    int retry_after_s = 0;  // what the receiver asked for, at most an hour
    long status = 0;        // 0: it did not answer
    double seconds = 0;     // that the request took
};

// What a status means.
HttpOutcome outcome_of(long status);

class WebhookClient {
   public:
    WebhookClient(const WebhookSinkOptions& options, std::size_t slots);
    ~WebhookClient();

    // Posts on a slot that is not busy. `body` must stay until the outcome is reported.
    void start(std::size_t slot, std::string_view body, const std::string& idempotency_key);
    // Moves data, waiting at most this long for something to move, and reports the outcomes of finished requests;
    // `done` may start others.
    void drive(int timeout_ms, const std::function<void(std::size_t slot, const HttpOutcome&)>& done);

   private:
    struct State;
    std::unique_ptr<State> state_;
};

// The value of X-Pgsluice-Signature: `t=<seconds>,v1=<hex>`, the hexadecimal HMAC-SHA-256 over "<seconds>.<body>".
std::string webhook_signature(const std::string& secret, std::int64_t unix_seconds, std::string_view body);

// Host and port, as messages name the receiver. Path, query and user may hold secrets.
std::string webhook_host(const std::string& url);

}  // namespace pgsluice
