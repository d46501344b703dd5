// Indexes that are built beside the stream (--ddl-build-indexes concurrently): noted on the target in the transaction
// of their command, then built one after the other, on a thread and a connection of their own, while rows are applied.
// What was noted is built after a restart, too.
//
// A build that the target refuses is left alone until the operator has decided about its command, like any other that
// cannot be applied; those noted after it wait.
//
// All calls come from the sink's thread.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "sinks/ddl/ddl_decisions.h"
#include "sinks/ddl/derived_statement.h"
#include "sinks/options.h"
#include "sinks/postgres/ddl/ddl_wait.h"
#include "sinks/postgres/ddl/noted_indexes.h"
#include "sql/connection.h"
#include "stream/base/log.h"

namespace pgsluice {

class IndexBuilds {
   public:
    // All must outlive it. `decisions` may be null: then a build that is refused is a stop Error.
    IndexBuilds(const PostgresSinkOptions& options, DdlDecisions* decisions, const Log& log, std::stop_token stop);
    ~IndexBuilds();  // ends a build that runs; it is begun again after a restart

    // ---- in the transaction of the commands

    // Whether the command makes an index that is to be built beside the stream.
    [[nodiscard]] bool takes(sql::Connection& connection, const DerivedStatement& statement) const;
    void note(sql::Connection& connection, const DerivedStatement& statement, const DdlPlace& place);
    // Whether one of the commands may need an index that is still to be built, or meet its build.
    [[nodiscard]] bool concern(sql::Connection& connection, const std::vector<DerivedStatement>& statements) const;
    struct Noted {
        std::string id;
        DerivedStatement statement;
        DdlPlace place;
    };
    // What was noted in the open transaction, and no longer is: to be made there, in the order of its commands.
    std::vector<Noted> take_back(sql::Connection& connection);
    [[nodiscard]] bool any_noted() const noexcept { return !noted_.empty(); }
    void rolled_back() { noted_.clear(); }

    // ---- outside

    // After a commit, and once at the start: what is noted is built from here on.
    void committed();
    void resume(sql::Connection& connection);
    // True once after builds have ended: the target's tables have other indexes now. Throws what a build died of. To be
    // called now and then.
    bool ended();
    // Asks the operator about a build that the target refused, and does what was decided. Also to be called now and
    // then, while no transaction is open.
    void see_refused(sql::Connection& connection);
    // Whether something is left to build.
    [[nodiscard]] bool pending();
    // Returns when nothing is left to build but what was refused. No transaction may be open: a build would wait for
    // it. `meanwhile` is called several times a second.
    void finish(const std::function<void()>& meanwhile);
    // What was refused, whether the operator has still to decide about it, and what to call afterwards.
    [[nodiscard]] std::optional<UndecidedDdl> refused();
    [[nodiscard]] bool awaits_decision();
    void decided(sql::Connection& connection);

   private:
    void start();
    void run(const std::stop_token& stop);
    [[nodiscard]] bool again();
    bool build_next(sql::Connection& connection);
    void refuse(const NotedIndex& index, const SqlError& error);
    [[nodiscard]] bool running();

    const PostgresSinkOptions& options_;
    DdlDecisions* decisions_;
    const Log& log_;
    const NotedIndexes notes_;
    std::vector<Noted> noted_;  // in the open transaction
    bool asked_ = false;        // the operator, about refused_
    std::chrono::steady_clock::time_point next_question_;
    std::stop_source stop_;
    std::stop_callback<std::function<void()>> outer_stop_;

    std::mutex mutex_;  // for what follows
    bool running_ = false;
    bool again_ = false;  // more was noted while it ran
    bool ended_ = false;
    std::exception_ptr failure_;
    std::optional<UndecidedDdl> refused_;
    std::string refused_index_;  // its id
    std::jthread thread_;
};

}  // namespace pgsluice
