#include "tests/support/writers.h"

#include <chrono>
#include <thread>
#include <utility>

#include "sql/error.h"
#include "tests/support/process.h"

namespace pgsluice::test {

namespace {

// False where it gave up a lock, or was given up in a deadlock: it is rolled back, and to be run again.
bool done(sql::Connection& connection, const std::string& statement) {
    try {
        connection.exec(statement);
        return true;
    } catch (const SqlError& error) {
        if (error.sqlstate() != "55P03" && error.sqlstate() != "40P01") throw;
        connection.exec("ROLLBACK");
        return false;
    }
}

}  // namespace

Writers::Writers(const sql::ConnectOptions& database, std::function<std::string(int)> statement, int sessions,
                 std::chrono::milliseconds rest)
    : statement_(std::move(statement)) {
    for (int i = 0; i < sessions; ++i)
        threads_.emplace_back([this, database, rest](const std::stop_token& stop) {
            sql::Connection connection(database);
            connection.exec("SET lock_timeout = '200ms'");
            for (; !stop.stop_requested(); ++ended_) {
                const std::string statement = statement_(++begun_);
                while (!stop.stop_requested() && !done(connection, statement)) continue;
                std::this_thread::sleep_for(rest);
            }
        });
}

void Writers::await(int transactions) {
    const int upto = ended_ + transactions;
    eventually("the writers have written", [&] { return ended_ >= upto; });
}

}  // namespace pgsluice::test
