// An HTTP server that behaves as badly as it is told to, on a free loopback port.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pgsluice::test {

struct HttpRequest {
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
    std::uint64_t connection = 0;  // counted from 1
};

struct HttpReply {
    enum class Manner {
        whole,
        close_in_body,  // announces more than it sends, then closes
        endless,        // sends its header, and a byte of its body now and then, and never ends
        drip,           // sends a byte of its header now and then, and never ends
        garbage,        // answers in no HTTP, then closes
        hang_up,        // closes without an answer
    };
    int status = 200;
    std::vector<std::string> headers;
    Manner manner = Manner::whole;
    std::string body = "ok";
};

class HttpReceiver {
   public:
    // Called for one request at a time, from threads of the receiver.
    using Handler = std::function<HttpReply(const HttpRequest&)>;

    // Unless it keeps the requests, what matters of them is up to the handler.
    explicit HttpReceiver(Handler handler, int port = 0, bool keeps = true);
    ~HttpReceiver();

    [[nodiscard]] int port() const noexcept { return port_; }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/hook"; }
    // All requests kept so far, whatever they were answered.
    [[nodiscard]] std::vector<HttpRequest> requests() const;

   private:
    void accept_all();
    void serve(int socket, std::uint64_t number);
    void answer(int socket, const HttpReply& reply) const;

    Handler handler_;
    bool keeps_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<bool> closing_{false};
    mutable std::mutex mutex_;
    std::vector<HttpRequest> requests_;
    std::thread acceptor_;
    // Only the acceptor touches these while it runs.
    std::vector<int> sockets_;
    std::vector<std::thread> servers_;
};

}  // namespace pgsluice::test
