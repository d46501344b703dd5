// A webhook receiver that does next to nothing, so that what is measured is the worker: answers every POST with 200 and
// counts the changes in it. One connection at a time. Prints its port, and at SIGTERM how many changes came.
//
// Started by tests/bench/run lines.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view change_line = R"("NewTuple":{)";
constexpr std::string_view answer_text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

volatile std::sig_atomic_t stopped = 0;

void stop(int /*signal*/) { stopped = 1; }

// Counts as it reads; a change's beginning is never longer than what is kept of the piece before.
class Counter {
   public:
    void take(std::string_view bytes) {
        rest_ += bytes;
        std::size_t at = 0;
        for (std::size_t found; (found = rest_.find(change_line, at)) != std::string::npos;
             at = found + change_line.size())
            ++changes;
        if (rest_.size() - at >= change_line.size()) at = rest_.size() - change_line.size() + 1;
        rest_.erase(0, at);
    }
    std::size_t changes = 0;

   private:
    std::string rest_;
};

// The body's length as the head says.
std::size_t content_length(std::string_view head) {
    constexpr std::string_view name = "Content-Length: ";
    const std::size_t at = head.find(name);
    return at == std::string_view::npos ? 0 : std::strtoull(head.data() + at + name.size(), nullptr, 10);
}

void serve(int connection, Counter& counter) {
    std::string head;
    std::size_t body_left = 0;
    static char piece[256 * 1024];
    for (ssize_t got; (got = ::recv(connection, piece, sizeof piece, 0)) > 0;) {
        std::string_view bytes(piece, static_cast<std::size_t>(got));
        while (!bytes.empty()) {
            if (body_left == 0) {
                head += bytes;
                const std::size_t end = head.find("\r\n\r\n");
                if (end == std::string::npos) break;
                body_left = content_length(head);
                bytes.remove_prefix(bytes.size() - (head.size() - end - 4));
                head.clear();
            }
            const std::string_view body = bytes.substr(0, body_left);
            counter.take(body);
            bytes.remove_prefix(body.size());
            body_left -= body.size();
            if (body_left == 0 && ::send(connection, answer_text.data(), answer_text.size(), MSG_NOSIGNAL) < 0) return;
        }
    }
}

}  // namespace

int main() {
    struct sigaction action {};
    action.sa_handler = &stop;  // without SA_RESTART: accept() and recv() are to be interrupted
    ::sigaction(SIGTERM, &action, nullptr);
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (::bind(listener, generic, size) != 0 || ::listen(listener, 16) != 0 ||
        ::getsockname(listener, generic, &size) != 0) {
        return 1;
    }
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    Counter counter;
    while (stopped == 0) {
        const int connection = ::accept(listener, nullptr, nullptr);
        if (connection < 0) continue;
        serve(connection, counter);
        ::close(connection);
    }
    std::printf("%zu\n", counter.changes);
    return 0;
}
