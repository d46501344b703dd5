// Marks what a worker writes with a replication origin of the target (manual, "Replication Progress Tracking"), so that
// a replicator that reads the target's log can tell it from what the target's own users write. Progress is not kept
// there: it is in pgsluice.progress, in the same transaction.
//
// The mark of a transaction is that of its commit record. So a connection that takes its time before it commits takes
// the origin only for the commit, and several can share one; the main connection keeps its own.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

#include "sinks/options.h"
#include "sql/connection.h"
#include "stream/base/log.h"
#include "stream/change.h"
#include "stream/message.h"

namespace pgsluice {

class TargetOrigins {
   public:
    // Who writes: two sessions of one worker cannot use the same origin at the same time.
    enum class Writer { worker, repair };

    TargetOrigins(const PostgresSinkOptions& options, const Log& log, Writer writer = Writer::worker)
        : options_(options), log_(log), writer_(writer) {}

    // Marks whatever is written from now on, if the target's log can be read at all and the role may; `source` is where
    // it comes from. A stop Error where it cannot be marked and the target is a group's source itself: what is written
    // would come back.
    void open(sql::Connection& connection, const GroupInfo& source);
    // Where nothing is marked, the target may have become a source since; asked every ten seconds.
    void check_if_due(sql::Connection& connection);
    // Outside a transaction, on the connection given to open(): what follows was first made in this database
    // (database_id()), or in the group's source if that is empty.
    void use(sql::Connection& connection, std::string_view made_in);
    // Commits what another of the worker's connections has written. From any thread.
    void commit(sql::Connection& other);
    [[nodiscard]] bool marks() const noexcept { return marks_; }

   private:
    [[nodiscard]] std::string own_name(std::string_view made_in) const;
    [[nodiscard]] std::string shared_name() const;
    void take(sql::Connection& connection, const std::string& name);
    void refuse_source(sql::Connection& connection);

    const PostgresSinkOptions& options_;
    const Log& log_;
    const Writer writer_;
    std::string source_;  // database_id()
    Oid database_ = 0;    // the target's
    bool marks_ = false;
    std::string name_;      // that the main connection uses; empty: none
    std::string unmarked_;  // why not; empty where there is no need
    std::string way_out_;
    std::chrono::steady_clock::time_point next_check_;
    std::mutex committing_;
};

// database_id() of what the connection is to; empty where the role may not know.
std::string home_database(sql::Connection& connection);

}  // namespace pgsluice
