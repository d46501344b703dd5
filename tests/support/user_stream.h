// A JetStream stream of a user's own, and what is in it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pgsluice::test {

struct StoredMessage {
    std::string subject;
    std::string id;  // Nats-Msg-Id
    std::string body;
};

// -1: none. What does not fit is refused.
struct UserStreamLimits {
    std::int64_t bytes = -1;
    std::int32_t message_bytes = -1;
};

class UserStream {
   public:
    // Makes the stream, in memory.
    UserStream(const std::string& url, const std::string& name, const std::string& subject,
               UserStreamLimits limits = {});
    ~UserStream();

    void limit(UserStreamLimits limits) const;

    [[nodiscard]] std::vector<StoredMessage> read() const;

   private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace pgsluice::test
