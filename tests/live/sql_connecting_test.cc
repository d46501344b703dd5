// Which of several servers a connection reaches, and how long one that does not answer is waited for.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "sql/connect/hosts.h"
#include "sql/connection.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"
#include "tests/support/tcp_proxy.h"
#include "tests/support/text.h"

using namespace pgsluice;
using namespace pgsluice::sql;
using namespace pgsluice::test;

namespace {

// A port that takes connections, and never says a word.
class SilentPort {
   public:
    explicit SilentPort(bool v6 = false, int port = 0) : fd_(::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        sockaddr_in6 long_address{};
        long_address.sin6_family = AF_INET6;
        long_address.sin6_addr = in6addr_loopback;
        long_address.sin6_port = htons(static_cast<std::uint16_t>(port));
        const auto* bound =
            v6 ? reinterpret_cast<const sockaddr*>(&long_address) : reinterpret_cast<const sockaddr*>(&address);
        const socklen_t size = v6 ? sizeof long_address : sizeof address;
        up_ = ::bind(fd_, bound, size) == 0 && ::listen(fd_, 100) == 0;
        sockaddr_in is{};
        socklen_t is_size = sizeof is;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&is), &is_size);
        port_ = ntohs(is.sin_port);
    }
    ~SilentPort() { ::close(fd_); }
    SilentPort(const SilentPort&) = delete;
    SilentPort& operator=(const SilentPort&) = delete;
    [[nodiscard]] bool up() const { return up_; }
    [[nodiscard]] std::string port() const { return std::to_string(port_); }

   private:
    int fd_;
    bool up_ = false;
    int port_ = 0;
};

ConnectOptions from(const std::string& url) {
    ConnectOptions options;
    options.role = "source";
    options.url = url + " dbname=postgres user=postgres connect_timeout=5";
    return options;
}

std::string port_reached(const ConnectOptions& options) {
    Connection connection(options);
    return connection.exec("SHOW port").text(0, 0);
}

std::string real_port() { return std::to_string(shared_postgres().port()); }

SqlError refusal_of(const ConnectOptions& options) {
    try {
        Connection connection(options);
    } catch (const SqlError& error) {
        return error;
    }
    FAIL("connected");
    return {Action::stop, "", ""};
}

// For the time of a test.
class Variable {
   public:
    Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
    ~Variable() { ::unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

   private:
    const char* name_;
};

}  // namespace

TEST_CASE("a host that takes the connection and says nothing is left after connect_timeout") {
    const SilentPort silent;
    CHECK(port_reached(from("host=127.0.0.1,127.0.0.1 port=" + silent.port() + "," + real_port())) == real_port());
    CHECK(port_reached(from("hostaddr=127.0.0.1,127.0.0.1 port=" + silent.port() + "," + real_port())) == real_port());
    const SilentPort second;
    CHECK(port_reached(from("host=127.0.0.1,127.0.0.1,127.0.0.1 port=" + silent.port() + "," + second.port() + "," +
                            real_port())) == real_port());
}

TEST_CASE("all addresses of a name are tried, each for connect_timeout") {
    TcpProxy proxy(shared_postgres().port());
    const SilentPort silent(true, proxy.port());
    const auto hosts = hosts_of({{"host", "localhost"}, {"port", "1"}});
    if (!silent.up() || hosts.size() < 2) {
        MESSAGE("not tried: localhost has one address here");
        return;
    }
    CHECK(port_reached(from("host=localhost port=" + std::to_string(proxy.port()))) == real_port());
}

TEST_CASE("where no host answers, the error names each and may pass") {
    const SilentPort silent;
    const std::string closed = std::to_string(free_port());
    const auto error = refusal_of(from("host=127.0.0.1,127.0.0.1 port=" + silent.port() + "," + closed));
    CHECK(error.action() == Action::retry);
    CHECK(contains(error.what(), "127.0.0.1:" + silent.port() + " did not answer within connect_timeout"));
    CHECK(contains(error.what(), "port " + closed + " failed: Connection refused"));
    const auto alone = refusal_of(from("host=127.0.0.1 port=" + silent.port()));
    CHECK(alone.action() == Action::retry);
    CHECK(contains(alone.what(), silent.port() + " did not answer within connect_timeout"));
}

TEST_CASE("a standby that is preferred and hangs: the primary is taken") {
    const SilentPort silent;
    for (const std::string wanted : {"prefer-standby", "read-write", "primary", "any"}) {
        CAPTURE(wanted);
        CHECK(port_reached(from("host=127.0.0.1,127.0.0.1 port=" + real_port() + "," + silent.port() +
                                " target_session_attrs=" + wanted)) == real_port());
    }
    const auto error = refusal_of(from("host=127.0.0.1 port=" + real_port() + " target_session_attrs=standby"));
    CHECK(contains(error.what(), "standby"));
}

TEST_CASE("hosts and ports from the environment and from a service file") {
    const SilentPort silent;
    const std::string file = temporary_directory("service") + "/pg_service.conf";
    std::ofstream(file) << "[shop]\nhost=127.0.0.1,127.0.0.1\nport=" << silent.port() << "," << real_port()
                        << "\ndbname=postgres\nuser=postgres\nconnect_timeout=5\n";
    ConnectOptions options;
    options.role = "source";
    {
        const Variable hosts("PGHOST", "127.0.0.1,127.0.0.1");
        const Variable ports("PGPORT", silent.port() + "," + real_port());
        CHECK(port_reached(from("")) == real_port());
    }
    const Variable where("PGSERVICEFILE", file);
    options.url = "service=shop";
    CHECK(port_reached(options) == real_port());
    CHECK(describe(options) == "127.0.0.1,127.0.0.1:" + silent.port() + "," + real_port() + "/postgres");
    options.url.clear();
    const Variable service("PGSERVICE", "shop");
    CHECK(port_reached(options) == real_port());
    CHECK(describe(options) == "127.0.0.1,127.0.0.1:" + silent.port() + "," + real_port() + "/postgres");
    options.url = "service=nowhere";
    CHECK(refusal_of(options).action() == Action::stop);
}

TEST_CASE("PGOPTIONS is kept, in ordinary and in replication sessions, but not against what we need") {
    const Variable given("PGOPTIONS", "-c work_mem=7MB -c DateStyle=German -c search_path=public");
    for (const bool replication : {false, true}) {
        auto options = from("host=127.0.0.1 port=" + real_port());
        if (replication) options.settings.emplace_back("replication", "database");
        Connection connection(options);
        CHECK(connection.exec("SHOW work_mem").text(0, 0) == "7MB");
        CHECK(connection.exec("SELECT '2026-01-31'::date").text(0, 0) == "2026-01-31");
        CHECK(connection.exec("SHOW search_path").text(0, 0) == "\"\"");
    }
}

TEST_CASE("channel binding that cannot be had is not waited for") {
    PostgresServer locked({.password = true});
    auto options = locked.connect("postgres");
    options.url = "channel_binding=require";
    const auto plain = refusal_of(options);
    CAPTURE(std::string(plain.what()));
    CHECK(plain.action() == Action::stop);
    CHECK(contains(plain.hint(), "channel_binding"));
    const auto trusted = refusal_of(from("host=127.0.0.1 channel_binding=require port=" + real_port()));
    CAPTURE(std::string(trusted.what()));
    CHECK(trusted.action() == Action::stop);
}
