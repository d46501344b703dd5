#include "tests/support/writers.h"

#include <utility>

#include "tests/support/process.h"

namespace pgsluice::test {

Writers::Writers(const sql::ConnectOptions& database, std::function<std::string(int)> statement, int sessions)
    : statement_(std::move(statement)) {
    for (int i = 0; i < sessions; ++i)
        threads_.emplace_back([this, database](const std::stop_token& stop) {
            sql::Connection connection(database);
            connection.exec("SET lock_timeout = '5s'");
            for (; !stop.stop_requested(); ++ended_) connection.exec(statement_(++begun_));
        });
}

void Writers::await(int transactions) {
    const int upto = ended_ + transactions;
    eventually("the writers have written", [&] { return ended_ >= upto; });
}

}  // namespace pgsluice::test
