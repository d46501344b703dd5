#include "tests/support/moving_writer.h"

#include <utility>

#include "sql/error.h"
#include "stream/base/pause.h"
#include "tests/support/process.h"

namespace pgsluice::test {

MovingWriter::MovingWriter(sql::ConnectOptions source, sql::ConnectOptions target,
                           std::function<std::string(int)> statement, std::chrono::milliseconds every)
    : source_(std::move(source)),
      target_(std::move(target)),
      statement_(std::move(statement)),
      every_(every),
      thread_([this](const std::stop_token& stop) {
          try {
              run(stop);
          } catch (const std::exception& error) {
              const std::lock_guard lock(mutex_);
              error_ = error.what();
          }
      }) {}

// False where the write is refused, as by a server that an application has moved away from.
bool MovingWriter::write(sql::Connection& connection, int number) {
    try {
        connection.exec(statement_(number));
    } catch (const SqlError& error) {
        if (error.sqlstate() != "25006") throw;
        connection.exec("ROLLBACK");
        return false;
    }
    committed_.push_back(number);
    ++written_;
    return true;
}

void MovingWriter::run(const std::stop_token& stop) {
    sql::Connection source(source_);
    int number = 1;
    for (; !stop.stop_requested() && !may_move_; pause(stop, every_))
        if (write(source, number)) ++number;
    if (stop.stop_requested()) return;
    sql::Connection target(target_);
    for (; !stop.stop_requested(); ++number) {
        if (!write(target, number)) throw std::runtime_error("the target refuses writes");
        ++moved_;
        pause(stop, every_);
    }
}

std::string MovingWriter::error() {
    const std::lock_guard lock(mutex_);
    return error_;
}

void MovingWriter::await(int transactions) {
    const int until = written_ + transactions;
    eventually("the application writes", [&] { return written_ >= until || !error().empty(); });
}

void MovingWriter::await_moved(int transactions) {
    eventually("the application writes to the target", [&] { return moved_ >= transactions || !error().empty(); });
}

std::vector<int> MovingWriter::stop() {
    thread_ = {};
    return committed_;
}

}  // namespace pgsluice::test
