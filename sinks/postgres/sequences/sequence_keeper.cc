#include "sinks/postgres/sequences/sequence_keeper.h"

#include <fmt/format.h>

#include <utility>

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto interval = std::chrono::seconds(60);
constexpr auto grace = std::chrono::seconds(2);  // at the end, on a connection of its own

}  // namespace

SequenceKeeper::~SequenceKeeper() {
    if (unlevel_.empty()) return;
    try {
        level_apart();
    } catch (const std::exception& error) {
        log_(LogLevel::warning,
             fmt::format("unable to set the target's sequences to its rows: {}; the worker's next start does it, or "
                         "`pgsluice sequences`",
                         error.what()));
    }
}

void SequenceKeeper::open(PostgresSession& session, PostgresProgress& progress) {
    progress_ = &progress;
    sequences_.emplace(session.connection, session.guard, options_.group, options_.worker, log_);
    noted_ = unlevel_ = progress.written_tables();
    sequences_->level(unlevel_);
}

void SequenceKeeper::note_written(const std::vector<std::string>& tables, const std::vector<std::string>& ahead) {
    written_.insert(ahead.begin(), ahead.end());
    unlevel_.insert(tables.begin(), tables.end());
    std::vector<std::string> fresh;
    for (const std::string& table : tables) {
        if (noted_.insert(table).second) fresh.push_back(table);
    }
    if (!fresh.empty()) progress_->note_written(fresh);
}

std::set<std::string> SequenceKeeper::take_due() {
    std::set<std::string> due = std::exchange(written_, {});
    const auto now = Clock::now();
    if (now >= next_) {
        next_ = now + interval;
        return due;
    }
    for (auto at = due.begin(); at != due.end();) {
        const auto table = at++;
        if (ahead_.contains(*table)) written_.insert(due.extract(table));
    }
    return due;
}

void SequenceKeeper::keep_ahead_if_due() {
    std::set<std::string> due = take_due();
    if (due.empty()) return;
    sequences_->keep_ahead(due);
    ahead_.merge(due);
}

void SequenceKeeper::level() {
    if (!unlevel_.empty()) sequences_->level(unlevel_);
    written_.clear();
    ahead_.clear();
    unlevel_.clear();
}

void SequenceKeeper::level_apart() {
    sql::ConnectOptions target = options_.target;
    target.settings.emplace_back("connect_timeout", "2");
    sql::Connection connection(std::move(target));
    connection.exec("SET statement_timeout = 1000");
    bool complete = false;
    TableGuard guard(true);
    PostgresSequences(connection, guard, options_.group, options_.worker, log_)
        .level(unlevel_, Clock::now() + grace, &complete);
    if (!complete) throw retry_error("there was no time to set all of them");
}

}  // namespace pgsluice
