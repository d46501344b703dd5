#include "tests/support/pgbouncer.h"

#include <pwd.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace pgsluice::test {

namespace {

// PgBouncer refuses to run as root.
uid_t run_as() {
    const passwd* user = ::getuid() == 0 ? ::getpwnam("postgres") : nullptr;
    return user == nullptr ? 0 : user->pw_uid;
}

}  // namespace

PgBouncer::PgBouncer(const PostgresServer& server, const PgBouncerOptions& options) : port_(free_port()) {
    const std::string directory = temporary_directory("pgbouncer");
    std::ofstream(directory + "/users.txt") << "\"postgres\" \"\"\n";
    std::ofstream(directory + "/pgbouncer.ini")
        << "[databases]\n* = host=127.0.0.1 port=" << server.port() << "\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        << "listen_port = " << port_ << "\nunix_socket_dir =\nauth_type = trust\nauth_file = " << directory
        << "/users.txt\npool_mode = " << options.pool_mode << "\ndefault_pool_size = " << options.pool_size << "\n"
        << options.settings << "\n";
    process_.emplace(ProcessOptions{.argv = {"/usr/sbin/pgbouncer", directory + "/pgbouncer.ini"}, .run_as = run_as()});
    const bool up = eventually("pgbouncer listens", [&] {
        return !process_->running() || process_->err().find("listening on 127.0.0.1") != std::string::npos;
    });
    if (!up || !process_->running()) throw std::runtime_error("unable to start pgbouncer: " + process_->err());
}

}  // namespace pgsluice::test
