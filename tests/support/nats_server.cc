#include "tests/support/nats_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>

#include "tests/support/process.h"

namespace pgsluice::test {
namespace {

// Debian keeps it in /usr/sbin, which is not in everybody's PATH.
std::string program() {
    return std::filesystem::exists("/usr/sbin/nats-server") ? "/usr/sbin/nats-server" : "nats-server";
}

bool accepts_connections(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return connected;
}

}  // namespace

struct NatsServer::State {
    NatsServerOptions options;
    std::string login;  // that is accepted now
    std::string directory;
    std::string group = "nobody";  // whose users may connect to a hardened server
    int port = 0;
    std::optional<Process> process;

    void configure() const {
        std::ofstream file(directory + "/nats.conf");
        file << "listen: \"127.0.0.1:" << port << "\"\n";
        if (options.jetstream) {
            file << "jetstream { store_dir: \"" << directory << "/store\"\n" << options.jetstream_config << " }\n";
        }
        file << options.extra_config << "\n";
        if (options.hardened && login.empty()) file << harden_nats(group) << "\n";
        const auto colon = login.find(':');
        if (!login.empty())
            file << "authorization { user: \"" << login.substr(0, colon) << "\", password: \""
                 << login.substr(colon + 1) << "\" }\n";
    }
};

NatsServer::NatsServer(NatsServerOptions options) : state_(std::make_unique<State>()) {
    state_->options = std::move(options);
    state_->login = state_->options.login;
    state_->directory = temporary_directory("nats");
    state_->port = free_port();
    state_->configure();
    start();
}

NatsServer::~NatsServer() = default;

std::string NatsServer::url(int port) const {
    const std::string login = state_->options.login.empty() ? "" : state_->options.login + "@";
    return "nats://" + login + "127.0.0.1:" + std::to_string(port != 0 ? port : state_->port);
}
int NatsServer::port() const { return state_->port; }
bool NatsServer::hardened() const { return state_->options.hardened && state_->login.empty(); }

void NatsServer::admit(const std::string& group) {
    kill();
    state_->group = group;
    state_->configure();
    start();
}
std::string NatsServer::store_dir() const { return state_->directory + "/store"; }

void NatsServer::kill() {
    if (!state_->process) return;
    state_->process->signal(SIGKILL);
    state_->process->wait();
    state_->process.reset();
}

void NatsServer::pause() { state_->process->signal(SIGSTOP); }
void NatsServer::resume() { state_->process->signal(SIGCONT); }

// The port opens after JetStream has recovered its store.
void NatsServer::start() {
    if (state_->process && state_->process->running()) return;
    state_->process.emplace(ProcessOptions{.argv = {program(), "-c", state_->directory + "/nats.conf"}});
    const bool up = eventually("nats-server has started",
                               [&] { return !state_->process->running() || accepts_connections(state_->port); });
    if (!up || !state_->process->running()) {
        throw std::runtime_error("unable to start nats-server: " + state_->process->err());
    }
}

void NatsServer::restart_with(const std::string& extra_config) {
    kill();
    state_->options.extra_config = extra_config;
    state_->configure();
    start();
}

std::string NatsServer::log() const { return state_->process->err(); }

void NatsServer::change_login(const std::string& login) {
    state_->login = login;
    state_->configure();
    state_->process->signal(SIGHUP);
}

void NatsServer::keep_store() {
    kill();
    std::filesystem::copy(store_dir(), store_dir() + ".kept", std::filesystem::copy_options::recursive);
    start();
}

void NatsServer::roll_back() {
    kill();
    std::filesystem::remove_all(store_dir());
    std::filesystem::rename(store_dir() + ".kept", store_dir());
    start();
}

NatsServer& shared_nats() {
    static NatsServer server;
    return server;
}

}  // namespace pgsluice::test
