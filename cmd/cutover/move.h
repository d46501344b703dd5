// The part of a cutover in which writes are refused: from the stop on the source to the word that the target is ready.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <vector>

#include "cmd/cli/settings.h"
#include "cmd/cutover/moved_tables.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "worker/compare/report.h"
#include "worker/compare/tables.h"

namespace pgsluice {

// Where a cutover of the group that leads back has stopped writes to the target.
void open_target(sql::Connection& target, const MovedTables& tables);

class Move {
   public:
    Move(const Settings& settings, Broker& broker, const MovedTables& tables, const Log& log,
         const std::stop_token& stop)
        : settings_(settings), broker_(broker), tables_(tables), log_(log), stop_(stop) {}
    Move(const Move&) = delete;
    Move& operator=(const Move&) = delete;
    // Puts the source back as it was, unless the application may have moved.
    ~Move();

    // Once. Where tables are given, they are compared as of the cutover, while the application already writes to the
    // target. A stop Error when the target has not followed in time.
    std::optional<CompareReport> run(const std::vector<PublishedTable>* compared);

   private:
    struct Ends;
    class TimeLimit;
    std::optional<CompareReport> run_within(TimeLimit& limit, const std::vector<PublishedTable>* compared);
    void stop_source(sql::Connection& source);
    void finish(Lsn lsn, Ends& ends, TimeLimit& limit);
    void set_sequences(Ends& ends);
    void put_back();
    [[nodiscard]] double seconds() const;

    const Settings& settings_;
    Broker& broker_;
    const MovedTables& tables_;
    const Log& log_;
    const std::stop_token& stop_;
    std::chrono::steady_clock::time_point begun_;
    int stopping_pid_ = 0;  // the server process that stops the writes; 0: none has begun to
    bool moved_ = false;
};

}  // namespace pgsluice
