// A throwaway PostgreSQL cluster on a free loopback port: fsync off, wal_level logical, trust authentication.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sql/connection.h"
#include "tests/support/hardening.h"

namespace pgsluice::test {

struct PostgresOptions {
    std::map<std::string, std::string> settings = {};  // on top of the defaults
    bool password = false;                             // scram authentication; superuser "postgres", password "secret"
    bool hardened = hardened_by_environment();         // hardening.h
};

class PostgresServer {
   public:
    explicit PostgresServer(PostgresOptions options = {});
    // A hot standby, made from a copy of the primary, which is stopped for it and started again. It streams through the
    // physical slot `standby`. It has copies of the logical slots as they are now, as tools that copy slots' files make
    // them; from version 17 on only those that it synchronizes itself.
    static std::unique_ptr<PostgresServer> standby_of(PostgresServer& primary, PostgresOptions options = {});
    // Over a copy of a server's data, by its settings; back when it can be asked, which may be before it has recovered.
    static std::unique_ptr<PostgresServer> over(const std::string& data);
    ~PostgresServer();

    [[nodiscard]] int port() const;
    // As server_version_num has it, but for the minor part: 150000.
    [[nodiscard]] int version() const;
    [[nodiscard]] bool hardened() const;
    [[nodiscard]] sql::ConnectOptions connect(const std::string& dbname) const;  // superuser
    // Through another port, a proxy's, when one is given.
    [[nodiscard]] std::string url(const std::string& dbname, int port = 0) const;
    // A fresh, uniquely named database.
    std::string create_database(const std::string& encoding = "UTF8");
    void sql(const std::string& dbname, const std::string& statements);
    // First column of the first row, "" for NULL or no row.
    std::string scalar(const std::string& dbname, const std::string& query);
    // For destructors: waits until nobody uses the slot, whose walsender may outlive its reader a little. Does nothing
    // when there is none, or the server is down.
    void drop_slot(const std::string& dbname, const std::string& slot) noexcept;
    // Rows of "a|b|c" as psql -At would print them.
    std::vector<std::string> rows(const std::string& dbname, const std::string& query);
    [[nodiscard]] std::string data_directory() const;
    void stop_immediate();  // kill, as in a crash
    void start();
    // Makes a standby a primary; back when it is one.
    void promote();
    // The standby is promoted and takes this object's place, which has been stopped before, and is then in `standby`.
    void fail_over_to(PostgresServer& standby);
    // Of a standby: waits until it has replayed what the primary has written so far.
    void catch_up_with(PostgresServer& primary);
    // SIGSTOP for the postmaster and all it has started; what is started later waits for the postmaster.
    void pause();
    void resume();
    // SIGKILL for one of its processes. PostgreSQL then ends all others and recovers; back when it has.
    void kill_backend(int pid);

   private:
    struct State;
    explicit PostgresServer(std::unique_ptr<State> state);
    sql::Result exec(const std::string& dbname, const std::string& statements);

    std::unique_ptr<State> state_;
};

// One server shared by all tests of a process, started on first use; wal_sender_timeout and the like are defaults.
PostgresServer& shared_postgres();

}  // namespace pgsluice::test
