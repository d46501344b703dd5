#include "sinks/pg_dump.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>

#include "sql/conninfo.h"

extern char** environ;

namespace pgsluice {

namespace {

struct Descriptor {
    int fd = -1;
    explicit Descriptor(int opened) : fd(opened) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
    void close() {
        ::close(fd);
        fd = -1;
    }
};

struct Finished {
    int status = 0;  // as waitpid gives it
    std::string out;
    std::string err;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        throw retry_error(fmt::format("unable to make a pipe for 'pg_dump': {}", std::strerror(errno)));
    return ends;
}

// A child that is killed and reaped unless it was waited for.
class Child {
   public:
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ < 0) return;
        ::kill(pid_, SIGKILL);
        wait();
    }
    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return status;
    }

   private:
    pid_t pid_;
};

// Reads both pipes until both are at their ends.
void read_all(Descriptor& out, Descriptor& err, Finished& finished, const std::stop_token& stop) {
    std::array<char, 65536> buffer{};
    while (out.fd >= 0 || err.fd >= 0) {
        std::array<pollfd, 2> watched{pollfd{out.fd, POLLIN, 0}, pollfd{err.fd, POLLIN, 0}};
        ::poll(watched.data(), watched.size(), 50);
        if (stop.stop_requested()) throw Interrupted{};
        for (std::size_t i = 0; i < watched.size(); ++i) {
            if (watched[i].fd < 0 || watched[i].revents == 0) continue;
            Descriptor& end = i == 0 ? out : err;
            const ssize_t count = ::read(end.fd, buffer.data(), buffer.size());
            if (count > 0) {
                (i == 0 ? finished.out : finished.err).append(buffer.data(), static_cast<std::size_t>(count));
            } else if (count == 0 || errno != EINTR) {
                end.close();
            }
        }
    }
}

Finished run(std::vector<std::string> argv, const std::string& password, const std::stop_token& stop) {
    const auto out = make_pipe();
    Descriptor out_read(out[0]);
    Descriptor out_write(out[1]);
    const auto err = make_pipe();
    Descriptor err_read(err[0]);
    Descriptor err_write(err[1]);
    std::vector<std::string> environment;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        if (password.empty() || std::strncmp(*variable, "PGPASSWORD=", 11) != 0) environment.emplace_back(*variable);
    }
    if (!password.empty()) environment.push_back("PGPASSWORD=" + password);
    auto arguments = pointers(argv);
    auto variables = pointers(environment);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out_write.fd, 1);
    posix_spawn_file_actions_adddup2(&actions, err_write.fd, 2);
    posix_spawnattr_t attributes;  // our signals are blocked for sigwait; its must not be
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    pid_t pid = -1;
    const int failed = ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), variables.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        throw stop_error(fmt::format("unable to run 'pg_dump': {}", std::strerror(failed)),
                         "Install PostgreSQL's client programs (Debian: postgresql-client) so that pg_dump is in PATH, "
                         "or create the tables on the target yourself and leave --target-sync-schema out.");
    }
    Child child(pid);
    out_write.close();
    err_write.close();
    Finished finished;
    read_all(out_read, err_read, finished, stop);
    finished.status = child.wait();
    return finished;
}

// keyword='value' ..., as libpq reads it; without the password, which others could see in the list of processes.
std::string conninfo(const std::map<std::string, std::string>& keywords) {
    std::string out;
    for (const auto& [keyword, value] : keywords) {
        if (keyword == "password") continue;
        out += keyword + "='";
        for (const char c : value) {
            if (c == '\'' || c == '\\') out += '\\';
            out += c;
        }
        out += "' ";
    }
    return out;
}

void check_version(int server_version, const std::stop_token& stop) {
    const Finished said = run({"pg_dump", "--version"}, "", stop);  // pg_dump (PostgreSQL) 15.20 (Debian ...)
    const auto digits = said.out.find_first_of("0123456789");
    const int major = digits == std::string::npos ? 0 : std::atoi(said.out.c_str() + digits);
    if (major >= server_version / 10000) return;
    throw stop_error(fmt::format("unable to copy the source's schema: pg_dump is version {}, the source is version {}",
                                 major, server_version / 10000),
                     fmt::format("Install the client programs of PostgreSQL {} (Debian: postgresql-client-{}) and put "
                                 "them first in PATH.",
                                 server_version / 10000, server_version / 10000));
}

// The value behind "key: " in a comment's line.
std::string field(std::string_view line, std::string_view key) {
    const auto start = line.find(key);
    if (start == std::string_view::npos) return "";
    line.remove_prefix(start + key.size());
    return std::string(line.substr(0, line.find(';')));
}

constexpr std::string_view header = "\n--\n-- Name: ";

}  // namespace

std::vector<DumpEntry> parse_dump(std::string_view script) {
    const auto complete = script.rfind("\n--\n-- PostgreSQL database dump complete");
    if (complete != std::string_view::npos) script = script.substr(0, complete + 1);
    std::vector<DumpEntry> entries;
    auto at = script.find(header);
    while (at != std::string_view::npos) {
        const auto line = script.substr(at + 4, script.find('\n', at + 4) - (at + 4));
        const auto body = at + 4 + line.size() + 4;  // behind "\n--\n"
        const auto next = script.find(header, std::min(body - 1, script.size()));
        DumpEntry entry;
        entry.name = field(line, "-- Name: ");
        entry.type = field(line, "; Type: ");
        entry.schema = field(line, "; Schema: ");
        entry.text = std::string(script.substr(std::min(body, script.size()), next - body));
        entries.push_back(std::move(entry));
        at = next;
    }
    return entries;
}

std::string run_pg_dump(const sql::ConnectOptions& source, int server_version,
                        const std::vector<std::string>& arguments, const std::stop_token& stop) {
    check_version(server_version, stop);
    const auto keywords = sql::connection_keywords(source);
    const auto password = keywords.find("password");
    std::vector<std::string> argv{"pg_dump", "--dbname=" + conninfo(keywords), "--no-password", "--schema-only"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    Finished finished = run(std::move(argv), password == keywords.end() ? "" : password->second, stop);
    if (WIFEXITED(finished.status) && WEXITSTATUS(finished.status) == 0) return std::move(finished.out);
    std::string reason = finished.err.substr(0, finished.err.find_last_not_of('\n') + 1);
    for (char& c : reason) {
        if (c == '\n') c = ';';
    }
    throw stop_error(fmt::format("unable to copy the source's schema: {}", reason),
                     "The --source-* options must name the database the replicator reads, as a role that may read its "
                     "tables.");
}

}  // namespace pgsluice
