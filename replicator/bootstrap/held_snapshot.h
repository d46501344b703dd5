// The snapshot that a dump of the source is to be taken of, held for as long as the process lives or until it is
// released: a session's end, as at a NATS server that restarts, must not lose it. Any thread.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "sql/connection.h"
#include "sql/lsn.h"

namespace pgsluice {

class HeldSnapshot {
   public:
    // `session` is in the transaction that has exported it, and holds the tables' locks: pg_dump takes its own only
    // once it runs, and until then a rewrite of a table would make the snapshot see it empty, without a word.
    void hold(sql::Connection session, Lsn point, std::string dump_command);
    // Takes the dump; empty when the snapshot is not held.
    [[nodiscard]] std::string dump_command();
    [[nodiscard]] bool holds(Lsn point);
    void release();
    // False, and releases it, when the server has ended the session.
    bool still_there();

   private:
    std::mutex mutex_;
    std::optional<sql::Connection> session_;
    Lsn point_;
    std::string dump_command_;
};

}  // namespace pgsluice
