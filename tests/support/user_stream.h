// A JetStream stream of a user's own, and what is in it.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace pgsluice::test {

struct StoredMessage {
    std::string subject;
    std::string id;  // Nats-Msg-Id
    std::string body;
};

class UserStream {
   public:
    // Makes the stream, in memory.
    UserStream(const std::string& url, const std::string& name, const std::string& subject);
    ~UserStream();

    [[nodiscard]] std::vector<StoredMessage> read() const;

   private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace pgsluice::test
