#include "sinks/postgres/schema/pg_dump.h"

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
#include <optional>

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
void read_all(Descriptor& out, Descriptor& err, Finished& finished, const std::stop_token& stop,
              const std::function<void()>& tell) {
    std::array<char, 65536> buffer{};
    while (out.fd >= 0 || err.fd >= 0) {
        std::array<pollfd, 2> watched{pollfd{out.fd, POLLIN, 0}, pollfd{err.fd, POLLIN, 0}};
        const int ready = ::poll(watched.data(), watched.size(), 50);
        if (stop.stop_requested()) throw Interrupted{};
        if (ready == 0) tell();
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

Finished run(std::vector<std::string> argv, const std::string& password, const std::stop_token& stop,
             const std::function<void()>& tell) {
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
    read_all(out_read, err_read, finished, stop, tell);
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
    const Finished said = run({"pg_dump", "--version"}, "", stop, [] {});  // pg_dump (PostgreSQL) 15.20 (Debian ...)
    const auto digits = said.out.find_first_of("0123456789");
    const int major = digits == std::string::npos ? 0 : std::atoi(said.out.c_str() + digits);
    if (major >= server_version / 10000) return;
    throw stop_error(fmt::format("unable to copy the source's schema: pg_dump is version {}, the source is version {}",
                                 major, server_version / 10000),
                     fmt::format("Install the client programs of PostgreSQL {} (Debian: postgresql-client-{}) and put "
                                 "them first in PATH.",
                                 server_version / 10000, server_version / 10000));
}

constexpr std::string_view header = "\n--\n-- Name: ";

// Of "-- Name: users; Type: TABLE; Schema: public; Owner: -"; nothing when it is none, as in a function's body.
std::optional<SchemaEntry> parse_header(std::string_view line) {
    const auto owner = line.rfind("; Owner: ");
    const auto schema = line.substr(0, owner).rfind("; Schema: ");
    const auto type = line.substr(0, schema).rfind("; Type: ");
    if (owner == std::string_view::npos || schema == std::string_view::npos || type == std::string_view::npos)
        return std::nullopt;
    const auto between = [&](std::size_t from, std::string_view key, std::size_t to) {
        return std::string(line.substr(from + key.size(), to - from - key.size()));
    };
    return SchemaEntry{between(0, "-- Name: ", type), between(type, "; Type: ", schema),
                       between(schema, "; Schema: ", owner), ""};
}

struct FoundHeader {
    std::size_t at = std::string_view::npos;
    std::size_t body = 0;
    SchemaEntry entry;
};

FoundHeader find_header(std::string_view script, std::size_t from) {
    for (auto at = script.find(header, from); at != std::string_view::npos; at = script.find(header, at + 1)) {
        const auto line = script.substr(at + 4, script.find('\n', at + 4) - (at + 4));
        auto entry = parse_header(line);
        if (entry) return {at, std::min(at + 4 + line.size() + 4, script.size()), std::move(*entry)};  // "\n--\n"
    }
    return {};
}

}  // namespace

std::vector<SchemaEntry> parse_dump(std::string_view script) {
    const auto complete = script.rfind("\n--\n-- PostgreSQL database dump complete");
    if (complete != std::string_view::npos) script = script.substr(0, complete + 1);
    std::vector<SchemaEntry> entries;
    for (auto found = find_header(script, 0); found.at != std::string_view::npos;) {
        auto next = find_header(script, found.body - 1);
        found.entry.text = std::string(script.substr(found.body, next.at - found.body));
        entries.push_back(std::move(found.entry));
        found = std::move(next);
    }
    return entries;
}

std::string run_pg_dump(const sql::ConnectOptions& source, int server_version,
                        const std::vector<std::string>& arguments, const std::stop_token& stop,
                        const std::function<void()>& tell) {
    check_version(server_version, stop);
    auto keywords = sql::connection_keywords(source);
    if (!sql::resolved_keywords(source).contains("connect_timeout")) keywords["connect_timeout"] = "10";  // as ours
    const auto password = keywords.find("password");
    std::vector<std::string> argv{"pg_dump", "--dbname=" + conninfo(keywords), "--no-password", "--schema-only"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    Finished finished = run(std::move(argv), password == keywords.end() ? "" : password->second, stop, tell);
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
