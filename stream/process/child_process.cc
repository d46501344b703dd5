#include "stream/process/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "sql/error.h"

extern char** environ;

namespace pgsluice {

namespace {

constexpr int poll_ms = 50;
constexpr std::size_t max_errors = 64UL * 1024;

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

struct Pipe {
    int read = -1;
    int write = -1;
    explicit Pipe(const std::string& program) {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0)
            throw retry_error(fmt::format("unable to make a pipe for '{}': {}", program, std::strerror(errno)));
        read = ends[0];
        write = ends[1];
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
        if (read >= 0) ::close(read);
        ::close(write);
    }
    int take_read() { return std::exchange(read, -1); }
};

std::vector<std::string> environment_with(const ChildProcess::Variables& variables) {
    std::vector<std::string> out;
    for (char** one = environ; *one != nullptr; ++one) {
        const bool replaced = std::ranges::any_of(
            variables, [&](const auto& variable) { return std::string_view(*one).starts_with(variable.first + '='); });
        if (!replaced) out.emplace_back(*one);
    }
    for (const auto& [name, value] : variables) {
        out.push_back(name);
        out.back().append("=").append(value);
    }
    return out;
}

}  // namespace

ChildProcess::ChildProcess(std::vector<std::string> argv, const Variables& variables, const std::string& hint) {
    const std::string program = argv.at(0);
    Pipe out(program);
    Pipe err(program);
    auto environment = environment_with(variables);
    auto arguments = pointers(argv);
    auto variable_pointers = pointers(environment);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out.write, 1);
    posix_spawn_file_actions_adddup2(&actions, err.write, 2);
    posix_spawnattr_t attributes;  // our signals are blocked for sigwait; its must not be
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);  // so that what it starts ends with it
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    const int failed =
        ::posix_spawnp(&pid_, arguments[0], &actions, &attributes, arguments.data(), variable_pointers.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        pid_ = -1;
        throw stop_error(fmt::format("unable to run '{}': {}", program, std::strerror(failed)), hint);
    }
    out_ = out.take_read();
    err_ = err.take_read();
}

ChildProcess::~ChildProcess() {
    close(out_);
    close(err_);
    if (pid_ < 0) return;
    ::kill(-pid_, SIGKILL);
    wait();
}

void ChildProcess::close(int& end) {
    if (end >= 0) ::close(std::exchange(end, -1));
}

int ChildProcess::wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
}

void ChildProcess::read_errors() {
    std::array<char, 4096> buffer{};
    const ssize_t count = ::read(err_, buffer.data(), buffer.size());
    if (count > 0) {
        const std::size_t room = max_errors - std::min(errors_.size(), max_errors);
        errors_.append(buffer.data(), std::min(static_cast<std::size_t>(count), room));
    } else if (count == 0 || errno != EINTR) {
        close(err_);
    }
}

// Until both pipes are at their ends.
std::size_t ChildProcess::read(char* into, std::size_t size, const std::stop_token& stop,
                               const std::function<void()>& tell) {
    while (out_ >= 0 || err_ >= 0) {
        std::array<pollfd, 2> watched{pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
        const int ready = ::poll(watched.data(), watched.size(), poll_ms);
        if (stop.stop_requested()) throw Interrupted{};
        if (ready == 0) tell();
        if (err_ >= 0 && watched[1].revents != 0) read_errors();
        if (out_ < 0 || watched[0].revents == 0) continue;
        const ssize_t count = ::read(out_, into, size);
        if (count > 0) return static_cast<std::size_t>(count);
        if (count == 0 || errno != EINTR) close(out_);
    }
    return 0;
}

bool succeeded(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

}  // namespace pgsluice
