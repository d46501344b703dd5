#include "tests/support/tcp_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace pgsluice::test {
namespace {

constexpr std::size_t most_waiting = 256 * 1024;

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

void send_at_once(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

struct TcpProxy::Asked {
    std::mutex mutex;
    std::condition_variable done;
    const std::function<void()>* what = nullptr;
};

TcpProxy::TcpProxy(int server_port) : server_port_(server_port), asked_(std::make_unique<Asked>()) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    auto address = loopback(0);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    int ends[2];
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, generic, &size) != 0 || ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        throw std::runtime_error("unable to start a proxy");
    }
    port_ = ntohs(address.sin_port);
    wake_read_ = ends[0];
    wake_write_ = ends[1];
    thread_ = std::thread([this] { loop(); });
}

TcpProxy::~TcpProxy() {
    ask([this] { stopping_ = true; });
    thread_.join();
    for (const Link& link : links_) ::close(link.up.from), ::close(link.up.to);
    for (const int fd : abandoned_) ::close(fd);
    for (const int fd : {listener_, wake_read_, wake_write_}) ::close(fd);
}

void TcpProxy::cut() {
    ask([this] {
        for (Link& link : links_) link.broken = true;
        remove_broken();
        for (const int fd : abandoned_) reset(fd);
        abandoned_.clear();
    });
}

void TcpProxy::abandon() {
    ask([this] {
        for (Link& link : links_) link.silent = true;
    });
}

void TcpProxy::lose_answers() {
    ask([this] {
        for (Link& link : links_) link.loses_answers = true;
    });
}

void TcpProxy::cut_clients() {
    ask([this] {
        for (Link& link : links_) {
            reset(link.up.from);
            abandoned_.push_back(link.up.to);
        }
        links_.clear();
    });
}

void TcpProxy::hold(bool to_server, bool to_clients) {
    ask([&] {
        hold_up_ = to_server;
        hold_down_ = to_clients;
    });
}

void TcpProxy::refuse(bool refuses) {
    ask([&] { refuses_ = refuses; });
}

void TcpProxy::break_off(bool breaks_off) {
    ask([&] { breaks_off_ = breaks_off; });
}

int TcpProxy::connections() {
    int count = 0;
    ask([&] { count = static_cast<int>(links_.size()); });
    return count;
}

std::size_t TcpProxy::carried() {
    std::size_t bytes = 0;
    ask([&] { bytes = carried_; });
    return bytes;
}

void TcpProxy::ask(const std::function<void()>& what) {
    std::unique_lock lock(asked_->mutex);
    asked_->done.wait(lock, [&] { return asked_->what == nullptr; });
    asked_->what = &what;
    [[maybe_unused]] const auto ignored = ::write(wake_write_, "x", 1);
    asked_->done.wait(lock, [&] { return asked_->what != &what; });
}

// An end nothing is wanted of is left out of poll(), which would otherwise report its hang-up for ever.
void TcpProxy::loop() {
    const auto wants = [](int fd, bool read, bool write) {
        const auto events = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
        return pollfd{events == 0 ? -1 : fd, events, 0};
    };
    const auto reads = [](const Flow& flow, bool held) {
        return !held && !flow.ended && flow.waiting.size() < most_waiting;
    };
    std::vector<pollfd> ends;
    while (!stopping_) {
        ends = {{listener_, POLLIN, 0}, {wake_read_, POLLIN, 0}};
        for (const Link& link : links_) {
            const bool up = reads(link.up, link.silent || hold_up_);
            const bool down = reads(link.down, link.silent || hold_down_);
            const bool down_waits = !link.down.waiting.empty() && !link.silent && !hold_down_;
            const bool up_waits = !link.up.waiting.empty() && !link.silent && !hold_up_;
            ends.push_back(wants(link.up.from, up, down_waits));
            ends.push_back(wants(link.down.from, down, up_waits));
        }
        ::poll(ends.data(), ends.size(), -1);
        std::size_t at = 2;
        for (Link& link : links_) {
            const short client = ends[at++].revents;
            const short server = ends[at++].revents;
            constexpr short readable = POLLIN | POLLHUP | POLLERR;
            move(link.up, link, hold_up_, (client & readable) != 0);
            move(link.down, link, hold_down_, (server & readable) != 0);
        }
        remove_broken();
        if (ends[0].revents != 0) accept_one();
        if (ends[1].revents == 0) continue;
        char byte = 0;
        [[maybe_unused]] const auto ignored = ::read(wake_read_, &byte, 1);
        const std::lock_guard lock(asked_->mutex);
        if (asked_->what != nullptr) (*asked_->what)();
        asked_->what = nullptr;
        asked_->done.notify_all();
    }
}

void TcpProxy::accept_one() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(server_port_);
    if (refuses_ || ::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        reset(client);
        ::close(server);
        return;
    }
    ::fcntl(server, F_SETFL, O_NONBLOCK);
    send_at_once(client);
    send_at_once(server);
    Link& link = links_.emplace_back();
    link.up = {client, server};
    link.down = {server, client};
}

void TcpProxy::move(Flow& flow, Link& link, bool held, bool readable) {
    if (link.broken || link.silent || held) return;
    if (readable && !flow.ended && flow.waiting.size() < most_waiting) {
        char piece[65536];
        const ssize_t got = ::recv(flow.from, piece, sizeof piece, 0);
        if (got > 0) {
            const bool lost = link.loses_answers && &flow == &link.down;
            if (!lost) flow.waiting.append(piece, static_cast<std::size_t>(got));
            if (breaks_off_ && &flow == &link.up) link.broken = flow.ended = true;
        } else if (got == 0) {
            flow.ended = true;
        } else if (errno != EAGAIN && errno != EINTR) {
            link.broken = true;
        }
    }
    while (!flow.waiting.empty()) {
        const ssize_t sent = ::send(flow.to, flow.waiting.data(), flow.waiting.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) return;
        if (sent < 0) {
            link.broken = true;
            return;
        }
        carried_ += static_cast<std::size_t>(sent);
        flow.waiting.erase(0, static_cast<std::size_t>(sent));
    }
    // Neither libpq nor nats.c goes on reading once it has closed: one end's end is the other's.
    if (flow.ended) link.broken = true;
}

void TcpProxy::reset(int fd) {
    const linger at_once{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(fd);
}

// An end that came in order leaves in order; all else is a reset.
void TcpProxy::remove_broken() {
    links_.remove_if([this](const Link& link) {
        if (!link.broken) return false;
        const bool in_order = link.up.ended || link.down.ended;
        for (const int fd : {link.up.from, link.up.to}) in_order ? static_cast<void>(::close(fd)) : reset(fd);
        return true;
    });
}

}  // namespace pgsluice::test
