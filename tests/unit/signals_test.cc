// The first signal asks to stop, the second ends the process at once. In a child, for it ends the process.
#include "cmd/signals.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>

using namespace pgsluice;

namespace {

// A child that never finishes what is under way, and says on a pipe what it logs.
struct StubbornChild {
    StubbornChild() {
        int ends[2];
        REQUIRE(pipe(ends) == 0);
        read_end = ends[0];
        pid = fork();
        if (pid == 0) run(ends[1]);
        close(ends[1]);
        next();  // it watches
    }
    ~StubbornChild() {
        if (pid > 0) kill(pid, SIGKILL);
        if (pid > 0) waitpid(pid, nullptr, 0);
        close(read_end);
    }

    [[noreturn]] static void run(int write_end) {
        alarm(30);  // should the test be wrong
        const auto tell = [write_end](const std::string& text) { return write(write_end, text.data(), text.size()); };
        const SignalWatch watch([&](LogLevel, std::string_view text) { (void)!tell(std::string(text)); },
                                [&] { (void)!tell("told of SIGHUP"); });
        (void)!tell("watching");
        while (true) pause();
    }
    std::string next() const {
        char buffer[512];
        const ssize_t got = read(read_end, buffer, sizeof(buffer));
        return {buffer, got > 0 ? static_cast<std::size_t>(got) : 0};
    }
    [[nodiscard]] int exit_code() {
        int status = 0;
        waitpid(std::exchange(pid, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    int read_end = -1;
    pid_t pid = -1;
};

}  // namespace

TEST_CASE("the first signal is told, the second ends the process with its number") {
    for (const auto& [number, name] : {std::pair{SIGTERM, "SIGTERM"}, std::pair{SIGINT, "SIGINT"}}) {
        StubbornChild child;
        kill(child.pid, number);
        CHECK(child.next() == std::string(name) + ": shutting down; a second signal ends the process at once");
        kill(child.pid, number);
        CHECK(child.exit_code() == 128 + number);
    }
}

TEST_CASE("a closed pipe and a limit on a file's size are errors of the write, not the end") {
    StubbornChild child;
    kill(child.pid, SIGXFSZ);
    kill(child.pid, SIGPIPE);
    kill(child.pid, SIGTERM);
    CHECK(child.next().starts_with("SIGTERM"));
}

TEST_CASE("SIGHUP is a call each time, and none once the process is to stop") {
    StubbornChild child;
    for (int i = 0; i < 2; ++i) {
        kill(child.pid, SIGHUP);
        CHECK(child.next() == "told of SIGHUP");
    }
    kill(child.pid, SIGTERM);
    CHECK(child.next().starts_with("SIGTERM"));
    kill(child.pid, SIGHUP);
    kill(child.pid, SIGTERM);
    CHECK(child.exit_code() == 128 + SIGTERM);
}

TEST_CASE("a watch ends without any signal") {
    sigset_t before;
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    {
        const SignalWatch watch([](LogLevel, std::string_view) {});
        CHECK_FALSE(watch.token().stop_requested());
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);  // for the tests behind this one
}
