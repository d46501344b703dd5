#include "cmd/signals.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>

namespace pgsluice {

namespace {

constexpr int wake_up = SIGUSR2;  // ours: ends the watching thread

sigset_t watched() noexcept {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, wake_up}) sigaddset(&set, number);
    return set;
}

}  // namespace

SignalWatch::SignalWatch(Log log) : log_(std::move(log)) {
    for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_IGN);
    const sigset_t set = watched();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    thread_ = std::thread([this] { watch(); });
}

SignalWatch::~SignalWatch() {
    pthread_kill(thread_.native_handle(), wake_up);
    thread_.join();
}

void SignalWatch::watch() {
    const sigset_t set = watched();
    for (int number = 0; sigwait(&set, &number) == 0 && number != wake_up;) {
        if (source_.stop_requested()) _exit(128 + number);
        log_(LogLevel::info, fmt::format("{}: shutting down; a second signal ends the process at once",
                                         number == SIGTERM ? "SIGTERM" : "SIGINT"));
        source_.request_stop();
    }
}

}  // namespace pgsluice
