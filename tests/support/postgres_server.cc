#include "tests/support/postgres_server.h"

#include <pwd.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "tests/support/kept_sessions.h"
#include "tests/support/postgres_programs.h"
#include "tests/support/process.h"
#include "tests/support/read_file.h"

namespace pgsluice::test {
namespace {

namespace fs = std::filesystem;

// PostgreSQL refuses to run as root: 0 means as whoever we are.
uid_t server_user() {
    if (::getuid() != 0) return 0;
    const passwd* user = ::getpwnam("postgres");
    if (user == nullptr) throw std::runtime_error("unable to start PostgreSQL as root: there is no user 'postgres'");
    return user->pw_uid;
}

void must_run(const std::vector<std::string>& argv) {
    const Finished finished = run(argv);
    if (finished.code != 0) throw std::runtime_error("unable to run '" + argv[0] + "': " + finished.err);
}

void own(const std::string& directory) {
    if (server_user() != 0) must_run({"chown", "-R", "postgres:", directory});
}

// A cluster fresh from initdb, made once per build tree and version, and copied from then on: copying takes a tenth of
// the time.
std::string make_template(const std::string& programs) {
    const std::string version = run({programs + "postgres", "--version"}).out;
    std::string kept = PGSLUICE_TEST_CACHE_DIR "/initdb";
    for (const char c : version) kept += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' ? c : '-';
    if (fs::exists(kept + "/PG_VERSION")) return kept;

    const std::string parent = temporary_directory("initdb");
    own(parent);
    Process initdb({.argv = {programs + "initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8",
                             "--locale=C.UTF-8", "--pgdata=" + parent + "/data"},
                    .run_as = server_user()});
    if (initdb.wait(std::chrono::seconds(120)) != 0) {
        throw std::runtime_error("unable to run initdb: " + initdb.err());
    }
    // Several processes may do this at once: the first rename wins, the others use their own.
    const std::string copy = kept + "." + std::to_string(::getpid());
    fs::create_directories(fs::path(kept).parent_path());
    must_run({"cp", "-r", parent + "/data", copy});
    std::error_code taken;
    fs::rename(copy, kept, taken);
    if (taken) fs::remove_all(copy);
    return kept;
}

std::string template_directory(const std::string& programs) {
    static std::mutex mutex;
    static std::map<std::string, std::string> made;
    const std::lock_guard lock(mutex);
    const auto found = made.find(programs);
    return found != made.end() ? found->second : made[programs] = make_template(programs);
}

std::vector<std::string> split_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

// "pid (name) state parent ..."; empty when the process has just gone, where reading fails or even throws.
std::string process_stat(const fs::path& directory) {
    std::string line;
    std::ifstream file(directory / "stat");
    std::getline(file, line);
    return line;
}

std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> children;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string stat = process_stat(entry.path());
        const auto behind_name = stat.rfind(')');
        if (behind_name == std::string::npos || behind_name + 4 >= stat.size()) continue;
        if (std::atoi(stat.c_str() + behind_name + 4) == parent)
            children.push_back(std::atoi(entry.path().filename().c_str()));
    }
    return children;
}

}  // namespace

struct PostgresServer::State {
    PostgresOptions options;
    std::string programs = postgres_programs();
    std::string directory;
    std::string data;
    int port = 0;
    std::atomic<int> databases = 0;
    std::optional<Process> process;
    KeptSessions sessions;

    [[nodiscard]] int version() const { return std::stoi(read_file(data + "/PG_VERSION")) * 10000; }

    void configure() const {
        std::map<std::string, std::string> settings = {
            {"listen_addresses", "127.0.0.1"},
            {"port", std::to_string(port)},
            {"unix_socket_directories", directory},
            {"fsync", "off"},
            {"full_page_writes", "off"},
            {"wal_level", "logical"},
            {"max_wal_senders", "64"},
            {"max_replication_slots", "1000"},  // and as many replication origins, which nothing drops
            {"max_connections", "200"},
            {"max_prepared_transactions", "0"},
            {"max_worker_processes", "32"},
            {"max_logical_replication_workers", "16"},
            {"max_wal_size", "4GB"},
            {"jit", "off"},
        };
        for (const auto& [name, value] : options.settings) settings[name] = value;
        if (version() >= 180000)
            settings.try_emplace("max_active_replication_origins", settings.at("max_replication_slots"));
        std::ofstream file(data + "/postgresql.auto.conf");
        for (const auto& [name, value] : settings) file << name << " = '" << value << "'\n";
    }

    // Connections through the socket stay free of passwords: that is how the first password gets in.
    void demand_passwords() const {
        std::ofstream(data + "/pg_hba.conf")
            << "local all all trust\nlocal replication all trust\n"
               "host all all all scram-sha-256\nhost replication all all scram-sha-256\n";
    }

    void harden() const {
        const HardenedPostgres made = harden_postgres(data);
        std::ofstream(data + "/pg_hba.conf") << made.hba;
        std::ofstream(data + "/postgresql.conf", std::ios::app) << made.settings;
    }

    // The last line of postmaster.pid says how far the start-up is.
    [[nodiscard]] bool ready() const {
        const auto lines = split_lines(read_file(data + "/postmaster.pid"));
        return lines.size() >= 8 && (lines[7].starts_with("ready") || lines[7].starts_with("standby"));
    }

    void signal_all(int number) {
        process->signal(number);
        for (const pid_t child : children_of(process->pid())) ::kill(child, number);
    }

    // A connection for one call. It must not be taken for one of pgsluice's own, and names are looked up as a user's.
    [[nodiscard]] sql::Connection open(sql::ConnectOptions connect) const {
        connect.settings.emplace_back("application_name", "test");
        sql::Connection connection(std::move(connect));
        connection.exec("RESET search_path");
        return connection;
    }
};

PostgresServer::PostgresServer(PostgresOptions options) : state_(std::make_unique<State>()) {
    state_->options = std::move(options);
    state_->directory = temporary_directory("postgres");
    state_->data = state_->directory + "/data";
    state_->port = free_port();
    must_run({"cp", "-r", template_directory(state_->programs), state_->data});
    must_run({"chmod", "-R", "u=rwX,go=", state_->data});
    state_->configure();
    if (state_->options.password) state_->demand_passwords();
    if (hardened()) state_->harden();
    own(state_->directory);
    start();
    if (hardened()) state_->open(connect("postgres")).exec(create_hardened_roles());
    if (state_->options.password) {
        auto by_socket = connect("postgres");
        by_socket.host = state_->directory;
        state_->open(by_socket).exec("ALTER ROLE postgres PASSWORD 'secret'");
    }
}

PostgresServer::PostgresServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

std::unique_ptr<PostgresServer> PostgresServer::standby_of(PostgresServer& primary, PostgresOptions options) {
    auto state = std::make_unique<State>();
    state->programs = primary.state_->programs;
    state->options = std::move(options);
    state->directory = temporary_directory("postgres");
    state->data = state->directory + "/data";
    state->port = free_port();
    primary.stop_immediate();
    must_run({"cp", "-r", primary.data_directory(), state->data});
    primary.start();
    primary.sql("postgres", "SELECT pg_create_physical_replication_slot('standby', true)");
    const bool synchronizes = primary.version() >= 170000;
    auto& settings = state->options.settings;
    settings["primary_conninfo"] =
        "host=127.0.0.1 user=postgres dbname=postgres port=" + std::to_string(primary.port());
    settings["primary_slot_name"] = "standby";
    settings["hot_standby_feedback"] = "on";
    if (synchronizes) settings["sync_replication_slots"] = "on";
    if (synchronizes) must_run({"sh", "-c", "rm -rf " + state->data + "/pg_replslot/*"});
    fs::remove(state->data + "/postmaster.pid");
    std::ofstream(state->data + "/standby.signal").flush();
    state->configure();
    own(state->directory);
    std::unique_ptr<PostgresServer> standby(new PostgresServer(std::move(state)));
    standby->start();
    return standby;
}

std::unique_ptr<PostgresServer> PostgresServer::over(const std::string& data) {
    auto state = std::make_unique<State>();
    state->directory = temporary_directory("postgres");
    state->data = data;
    state->port = free_port();
    std::ofstream(data + "/postgresql.auto.conf", std::ios::app)
        << "port = " << state->port << "\nunix_socket_directories = '" << state->directory << "'\narchive_mode = off\n";
    own(data);
    own(state->directory);
    std::unique_ptr<PostgresServer> server(new PostgresServer(std::move(state)));
    server->start();
    return server;
}

PostgresServer::~PostgresServer() { stop_immediate(); }

int PostgresServer::port() const { return state_->port; }
int PostgresServer::version() const { return state_->version(); }
bool PostgresServer::hardened() const { return state_->options.hardened && !state_->options.password; }
std::string PostgresServer::data_directory() const { return state_->data; }

sql::ConnectOptions PostgresServer::connect(const std::string& dbname) const {
    sql::ConnectOptions options;
    options.role = "source";
    options.host = "127.0.0.1";
    options.port = std::to_string(state_->port);
    options.dbname = dbname;
    options.user = "postgres";
    if (state_->options.password) options.password = "secret";
    return options;
}

std::string PostgresServer::url(const std::string& dbname, int port) const {
    return std::string("postgresql://postgres") + (state_->options.password ? ":secret" : "") +
           "@127.0.0.1:" + std::to_string(port != 0 ? port : state_->port) + "/" + dbname;
}

std::string PostgresServer::create_database(const std::string& encoding) {
    const std::string name = "test_" + std::to_string(++state_->databases);
    const std::string locale = encoding == "UTF8" ? "C.UTF-8" : "C";
    const bool chooses = state_->version() >= 15;  // copied as files, it takes half of the time
    sql("postgres", "CREATE DATABASE " + name + " TEMPLATE template0 ENCODING '" + encoding + "' LOCALE '" + locale +
                        "'" + (chooses ? " STRATEGY FILE_COPY" : ""));
    return name;
}

void PostgresServer::sql(const std::string& dbname, const std::string& statements) { exec(dbname, statements); }

sql::Result PostgresServer::exec(const std::string& dbname, const std::string& statements) {
    return state_->sessions.exec(dbname, statements, [&] { return state_->open(connect(dbname)); });
}

std::string PostgresServer::scalar(const std::string& dbname, const std::string& query) {
    const auto result = exec(dbname, query);
    return std::string(result.rows() == 0 ? "" : result.get(0, 0).value_or(""));
}

void PostgresServer::drop_slot(const std::string& dbname, const std::string& slot) noexcept {
    const std::string found = " FROM pg_replication_slots WHERE slot_name = '" + slot + "'";
    try {
        eventually("slot " + slot + " is free",
                   [&] { return scalar(dbname, "SELECT count(*)" + found + " AND active") == "0"; });
        sql(dbname, "SELECT pg_drop_replication_slot(slot_name)" + found);
    } catch (...) {
    }
}

std::vector<std::string> PostgresServer::rows(const std::string& dbname, const std::string& query) {
    const auto result = exec(dbname, query);
    std::vector<std::string> lines;
    for (int row = 0; row < result.rows(); ++row) {
        std::string line;
        for (int column = 0; column < result.columns(); ++column) {
            if (column > 0) line += '|';
            line += result.get(row, column).value_or("");
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

void PostgresServer::stop_immediate() {
    state_->sessions.clear();
    if (!state_->process) return;
    state_->process->signal(SIGQUIT);
    state_->process->signal(SIGCONT);  // a paused one would never hear of it
    state_->process->wait();
    state_->process.reset();
}

void PostgresServer::promote() {
    sql("postgres", "SELECT pg_promote(true, 60)");
    eventually("the standby is a primary", [&] { return scalar("postgres", "SELECT pg_is_in_recovery()") == "f"; });
}

void PostgresServer::fail_over_to(PostgresServer& standby) {
    standby.promote();
    state_.swap(standby.state_);
}

void PostgresServer::catch_up_with(PostgresServer& primary) {
    const std::string written = primary.scalar("postgres", "SELECT pg_current_wal_insert_lsn()");
    eventually("the standby has caught up",
               [&] { return scalar("postgres", "SELECT pg_last_wal_replay_lsn() >= '" + written + "'") == "t"; });
}

void PostgresServer::pause() { state_->signal_all(SIGSTOP); }
void PostgresServer::resume() { state_->signal_all(SIGCONT); }

void PostgresServer::kill_backend(int pid) {
    auto witness = state_->open(connect("postgres"));
    ::kill(pid, SIGKILL);
    const auto answers = [](sql::Connection& connection) {
        try {
            connection.exec("SELECT 1");
            return true;
        } catch (const std::exception&) {
            return false;
        }
    };
    eventually("PostgreSQL ends all backends", [&] { return !answers(witness); });
    eventually("PostgreSQL has recovered", [&] {
        try {
            auto connection = state_->open(connect("postgres"));
            return answers(connection);
        } catch (const std::exception&) {
            return false;
        }
    });
}

void PostgresServer::start() {
    if (state_->process && state_->process->running()) return;
    state_->process.emplace(ProcessOptions{
        .argv = {state_->programs + "postgres", "-D", state_->data}, .run_as = server_user(), .death_signal = SIGQUIT});
    const bool up = eventually(
        "PostgreSQL has started", [&] { return !state_->process->running() || state_->ready(); },
        std::chrono::seconds(60));
    if (!up || !state_->process->running()) {
        throw std::runtime_error("unable to start PostgreSQL: " + state_->process->err());
    }
}

PostgresServer& shared_postgres() {
    static PostgresServer server;
    return server;
}

}  // namespace pgsluice::test
