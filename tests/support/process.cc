#include "tests/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>

#include <doctest/doctest.h>

#include "sql/error.h"
#include "tests/support/read_file.h"

extern char** environ;

namespace pgsluice::test {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds(5);
constexpr auto longest_poll_interval = std::chrono::milliseconds(20);

// Limits are given as for an idle machine. A loaded one, or a sanitizer, gets more; it only costs where a test fails.
constexpr int patience = 4;

[[noreturn]] void fail_system(const std::string& what) {
    throw std::runtime_error("unable to " + what + ": " + std::strerror(errno));
}

// PR_SET_PDEATHSIG follows the thread that forked, not the process. So one thread that never ends does all the forking.
class Launcher {
   public:
    static Launcher& instance() {
        static auto* launcher = new Launcher;  // never destroyed: its thread may not end before the process
        return *launcher;
    }

    pid_t launch(const std::function<pid_t()>& fork_and_exec) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return request_ == nullptr; });
        request_ = &fork_and_exec;
        pid_t pid = 0;
        answer_ = &pid;
        changed_.notify_all();
        changed_.wait(lock, [&] { return pid != 0; });
        return pid;
    }

   private:
    Launcher() {
        std::thread([this] { serve(); }).detach();
    }

    [[noreturn]] void serve() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [&] { return request_ != nullptr; });
            *answer_ = (*request_)();
            request_ = nullptr;
            changed_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    const std::function<pid_t()>* request_ = nullptr;
    pid_t* answer_ = nullptr;
};

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> result;
    for (auto& string : strings) result.push_back(string.data());
    result.push_back(nullptr);
    return result;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& additions) {
    std::vector<std::string> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        if (!additions.contains(text.substr(0, text.find('=')))) result.push_back(text);
    }
    for (const auto& [name, value] : additions) {
        result.push_back(name);
        result.back().append("=").append(value);
    }
    return result;
}

int open_for_child(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
    if (fd < 0) fail_system("open '" + path + "'");
    return fd;
}

struct ChildPlan {
    char** argv;
    char** environment;
    int in, out, err;
    uid_t run_as;
    gid_t group;
    int death_signal;
    pid_t parent;
};

// After fork: only calls that are safe there.
[[noreturn]] void become(const ChildPlan& plan) {
    ::dup2(plan.in, 0);
    ::dup2(plan.out, 1);
    ::dup2(plan.err, 2);
    for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    if (plan.run_as != 0 && ::getuid() == 0) {
        if (::setgroups(0, nullptr) != 0 || ::setgid(plan.group) != 0 || ::setuid(plan.run_as) != 0) ::_exit(126);
    }
    ::prctl(PR_SET_PDEATHSIG, plan.death_signal);  // after setuid, which clears it
    if (::getppid() != plan.parent) ::_exit(126);
    ::execvpe(plan.argv[0], plan.argv, plan.environment);
    const char* reason = std::strerror(errno);
    [[maybe_unused]] auto ignored = ::write(2, reason, std::strlen(reason));
    ::_exit(127);
}

pid_t start(const ProcessOptions& options, const std::string& out, const std::string& err) {
    auto argv = options.argv;
    auto environment = environment_with(options.environment);
    auto argv_pointers = pointers(argv);
    auto environment_pointers = pointers(environment);
    gid_t group = 0;
    if (options.run_as != 0) {
        const passwd* user = ::getpwuid(options.run_as);
        if (user != nullptr) group = user->pw_gid;
    }
    const ChildPlan plan{.argv = argv_pointers.data(),
                         .environment = environment_pointers.data(),
                         .in = open_for_child("/dev/null", O_RDONLY),
                         .out = open_for_child(out, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND),
                         .err = open_for_child(err, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND),
                         .run_as = options.run_as,
                         .group = group,
                         .death_signal = options.death_signal,
                         .parent = ::getpid()};
    const pid_t pid = Launcher::instance().launch([&] {
        // A signal for the child must not find our own handlers there.
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        const pid_t child = ::fork();
        if (child == 0) become(plan);
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        return child;
    });
    ::close(plan.in);
    ::close(plan.out);
    ::close(plan.err);
    if (pid < 0) fail_system("fork for '" + options.argv[0] + "'");
    return pid;
}

// The directory that holds all others, and a shell that removes it when we are gone, even by SIGKILL: the shell's
// standard input is a pipe that only we hold open.
class Base {
   public:
    static const std::string& path() {
        static const Base base;
        return base.path_;
    }

   private:
    Base() {
        const char* parent = std::getenv("TMPDIR");
        path_ = std::string(parent != nullptr && *parent != '\0' ? parent : "/tmp") + "/pgsluice-test-XXXXXX";
        if (::mkdtemp(path_.data()) == nullptr) fail_system("make '" + path_ + "'");
        ::chmod(path_.c_str(), 0755);
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) fail_system("make a pipe");
        write_end_ = ends[1];
        cleaner_ = ::fork();
        if (cleaner_ == 0) clean_at_end_of(ends[0], path_.c_str());
        ::close(ends[0]);
    }

    ~Base() {
        ::close(write_end_);
        ::waitpid(cleaner_, nullptr, 0);
    }

    [[noreturn]] static void clean_at_end_of(int input, const char* path) {
        ::setsid();
        const int null = ::open("/dev/null", O_RDWR);
        ::dup2(input, 0);
        ::dup2(null, 1);
        ::dup2(null, 2);
        // Servers that are being killed may still write for a moment.
        ::execl("/bin/sh", "sh", "-c",
                "trap '' INT TERM HUP; cat; for i in 1 2 3 4 5 6 7 8 9 10; do rm -rf \"$0\" && exit; sleep 0.2; done",
                path, nullptr);
        ::_exit(127);
    }

    std::string path_;
    int write_end_ = -1;
    pid_t cleaner_ = -1;
};

bool port_is_free(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int reuse = 1;  // as the servers do: a port with connections in TIME_WAIT counts as free
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool is_free = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return is_free;
}

}  // namespace

struct Process::State {
    ProcessOptions options;
    std::string directory;
    std::string out;
    std::string err;
    pid_t pid = -1;
    bool ended = false;
    int code = -1;

    bool reap(int flags) {
        int status = 0;
        if (ended) return true;
        if (::waitpid(pid, &status, flags) != pid) return false;
        code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return ended = true;
    }
};

Process::Process(ProcessOptions options) : state_(std::make_unique<State>()) {
    state_->options = std::move(options);
    state_->directory = temporary_directory("process");
    state_->err = state_->directory + "/err";
    state_->out = state_->options.stdout_file.empty() ? state_->directory + "/out" : state_->options.stdout_file;
    state_->pid = start(state_->options, state_->out, state_->err);
}

Process::~Process() {
    if (state_ == nullptr || state_->ended) return;
    ::kill(state_->pid, SIGKILL);
    state_->reap(0);
}

Process::Process(Process&&) noexcept = default;

pid_t Process::pid() const { return state_->pid; }

void Process::signal(int number) {
    if (!running()) return;
    ::kill(state_->pid, number);
    // One with several threads may go on for a moment, and answer meanwhile.
    siginfo_t info{};
    if (number == SIGSTOP) ::waitid(P_PID, static_cast<id_t>(state_->pid), &info, WSTOPPED | WEXITED | WNOWAIT);
}

bool Process::running() { return !state_->reap(WNOHANG); }

int Process::wait(std::chrono::seconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + patience * limit;
    while (running()) {
        if (std::chrono::steady_clock::now() > deadline) {
            FAIL("'" << state_->options.argv[0] << "' still runs after " << patience * limit.count()
                     << " s; its messages:\n"
                     << err());
        }
        std::this_thread::sleep_for(poll_interval);
    }
    return state_->code;
}

std::string Process::out() const { return read_file(state_->out); }
std::string Process::err() const { return read_file(state_->err); }

Finished run(std::vector<std::string> argv, std::map<std::string, std::string> environment,
             std::chrono::seconds limit) {
    Process process({.argv = std::move(argv), .environment = std::move(environment)});
    const int code = process.wait(limit);
    return {code, process.out(), process.err()};
}

bool eventually(const std::string& what, const std::function<bool()>& condition, std::chrono::seconds limit) {
    const auto begin = std::chrono::steady_clock::now();
    const auto deadline = begin + patience * limit;
    std::string error;
    const auto holds = [&] {
        try {
            return condition();
        } catch (const Error& thrown) {
            if (thrown.action() != Action::retry) throw;
            error = std::string(", last: ") + thrown.what();
            return false;
        }
    };
    while (!holds()) {
        const auto now = std::chrono::steady_clock::now();
        if (now > deadline) {
            FAIL_CHECK("not within " << patience * limit.count() << " s: " << what << error);
            return false;
        }
        // Most conditions are queries, and what a server spends on them other tests wait for.
        const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>((now - begin) / 10);
        std::this_thread::sleep_for(std::clamp(pause, poll_interval, longest_poll_interval));
    }
    return true;
}

namespace {

// Of all processes of this machine only one has a port, until it ends: servers come and go in it meanwhile.
bool claim(int port) {
    const std::string text = "pgsluice-test-port-" + std::to_string(port);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::ranges::copy(text, name.sun_path + 1);  // an abstract name, which is gone with its socket
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail_system("claim a port");
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&name), size) == 0) return true;
    ::close(fd);
    return false;
}

}  // namespace

// Below the range the kernel takes client ports from, so that no connection takes the port before the server does.
int free_port() {
    static std::mutex mutex;
    static std::mt19937 random(std::random_device{}());
    const std::lock_guard lock(mutex);
    std::uniform_int_distribution<int> ports(12000, 31999);
    for (int tries = 0; tries < 1000; ++tries) {
        const int port = ports(random);
        if (port_is_free(port) && claim(port)) return port;
    }
    throw std::runtime_error("unable to find a free port");
}

std::string temporary_directory(const std::string& name) {
    static std::atomic<int> count = 0;
    const std::string path = Base::path() + "/" + name + "-" + std::to_string(++count);
    if (::mkdir(path.c_str(), 0755) != 0 || ::chmod(path.c_str(), 0755) != 0) fail_system("make '" + path + "'");
    return path;
}

std::string all_files(const std::string& directory) {
    std::string text;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        text.append(std::istreambuf_iterator<char>(file), {});
    }
    return text;
}

}  // namespace pgsluice::test
