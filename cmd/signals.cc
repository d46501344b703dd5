#include "cmd/signals.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace pgsluice {

namespace {

constexpr int wake_up = SIGUSR2;  // ours: ends the watching thread

sigset_t watched(bool hangup) noexcept {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, wake_up}) sigaddset(&set, number);
    if (hangup) sigaddset(&set, SIGHUP);
    return set;
}

std::string_view name_of(int number) {
    switch (number) {
        case SIGTERM:
            return "SIGTERM";
        case SIGHUP:
            return "SIGHUP";
        default:
            return "SIGINT";
    }
}

}  // namespace

SignalWatch::SignalWatch(Log log, std::function<void()> on_hangup)
    : log_(std::move(log)), on_hangup_(std::move(on_hangup)), on_terminal_(isatty(STDERR_FILENO) == 1) {
    for (const int number : {SIGPIPE, SIGXFSZ}) std::signal(number, SIG_IGN);
    const sigset_t set = watched(on_hangup_ != nullptr);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    thread_ = std::thread([this] { watch(); });
}

SignalWatch::~SignalWatch() {
    pthread_kill(thread_.native_handle(), wake_up);
    thread_.join();
}

void SignalWatch::watch() {
    const sigset_t set = watched(on_hangup_ != nullptr);
    for (int number = 0; sigwait(&set, &number) == 0 && number != wake_up;) take(number);
}

void SignalWatch::take(int number) {
    const bool terminal_gone = on_terminal_ && isatty(STDERR_FILENO) == 0;
    if (number != SIGHUP || terminal_gone) return ask_to_stop(number);
    if (!source_.stop_requested()) on_hangup_();
}

void SignalWatch::ask_to_stop(int number) {
    if (source_.stop_requested()) _exit(128 + number);
    log_(LogLevel::info, fmt::format("{}: shutting down; a second signal ends the process at once", name_of(number)));
    source_.request_stop();
}

}  // namespace pgsluice
