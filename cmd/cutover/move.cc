#include "cmd/cutover/move.h"

#include <fmt/format.h>

#include <functional>
#include <thread>

#include "cmd/commands/compare.h"
#include "cmd/cutover/target.h"
#include "cmd/cutover/write_stop.h"
#include "cmd/terminal/say.h"
#include "sinks/postgres/progress.h"
#include "sinks/postgres/sequences/sequences.h"
#include "sinks/postgres/sequences/source_values.h"
#include "sql/error.h"
#include "sql/timestamp.h"
#include "stream/base/failpoint.h"
#include "stream/base/pause.h"
#include "stream/group/cutover_record.h"
#include "worker/compare/compare.h"
#include "worker/compare/cut.h"

namespace pgsluice {

// A stop token that fires after some time, too.
class Move::TimeLimit {
   public:
    TimeLimit(const std::stop_token& stop, std::chrono::milliseconds limit)
        : forward_(stop, [this] { source_.request_stop(); }), timer_([this, limit](const std::stop_token& lifted) {
              if (pause(lifted, limit)) source_.request_stop();
          }) {}

    [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
    // From now on only `stop` counts.
    void lift() { timer_.request_stop(); }

   private:
    std::stop_source source_;
    std::stop_callback<std::function<void()>> forward_;
    std::jthread timer_;
};

// Whose waits end with the time limit.
struct Move::Ends {
    sql::Connection source;
    sql::Connection target;
};

namespace {

bool stops_writes(const Settings& settings) { return settings.cutover.stop_writes == StopWrites::tables; }

// Whose last statement may have been the COMMIT of the write stop: what it has done is not seen before it is gone.
void outlive(sql::Connection& connection, int pid) {
    const std::string number = std::to_string(pid);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (connection
               .query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1::int AND usename = "
                      "current_user AND datname = current_database()",
                      {number}, {1})
               .rows() > 0) {
        if (std::chrono::steady_clock::now() > deadline)
            throw stop_error(fmt::format("unable to end server process {}: it still runs after 10 s", pid));
        pause({}, std::chrono::milliseconds(20));
    }
}

}  // namespace

void open_target(sql::Connection& target, const MovedTables& tables) {
    if (allow_writes(target, tables.target) > 0) say("the target's tables may be written to again");
}

Move::~Move() {
    if (moved_ || stopping_pid_ == 0) return;
    try {
        put_back();
    } catch (const std::exception& error) {
        log_(LogLevel::error, fmt::format("unable to let the source be written to again: {}; HINT: Run pgsluice "
                                          "cutover --undo with the same flags.",
                                          error.what()));
    }
}

// Over a connection of its own, and not ended by a stop: the other may have been cancelled.
void Move::put_back() {
    sql::Connection source = connect_end(settings_.replicator.source, {});
    outlive(source, stopping_pid_);
    if (allow_writes(source, tables_.source) > 0)
        say(fmt::format("the source may be written to again, after {:.2f} s", seconds()));
}

double Move::seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
}

std::optional<CompareReport> Move::run(const std::vector<PublishedTable>* compared) {
    const int most_ms = settings_.cutover.max_write_stop_ms;
    begun_ = std::chrono::steady_clock::now();
    TimeLimit limit(stop_, std::chrono::milliseconds(most_ms));
    try {
        return run_within(limit, compared);
    } catch (const Interrupted&) {  // exit code 0 would say that it is done
        if (moved_) throw stop_error("unable to compare: interrupted; the cutover itself is done", "Run it again.");
        if (stop_.stop_requested()) throw stop_error("unable to cut over: interrupted", "Run it again.");
        throw stop_error(fmt::format("unable to cut over: the target did not follow within {} s", most_ms / 1000.0),
                         "See with pgsluice status what the worker waits for, and run it again. --max-write-stop "
                         "gives it longer.");
    }
}

std::optional<CompareReport> Move::run_within(TimeLimit& limit, const std::vector<PublishedTable>* compared) {
    Ends ends{connect_end(settings_.replicator.source, limit.token()),
              connect_end(settings_.postgres.target, limit.token())};
    stop_source(ends.source);
    const auto met = [&](Lsn lsn) { finish(lsn, ends, limit); };
    CompareOptions options = compare_options_of(settings_);
    options.whole_group_copied = true;
    if (compared != nullptr) return compare(options, *compared, broker_, log_, limit.token(), met);
    options.connections = 1;
    met(meet_at_one_lsn(options, {}, broker_, log_, limit.token()).lsn);
    return std::nullopt;
}

void Move::stop_source(sql::Connection& source) {
    if (!stops_writes(settings_)) return say("waiting for all that was written to the source");
    stopping_pid_ = source.backend_pid();
    if (tables_open_to_writes(source, tables_.source).empty())
        return say("writes to the source are stopped already, by an earlier run; waiting for the target");
    say("stopping writes to the source");
    // The other half is the target's.
    const std::chrono::milliseconds limit(settings_.cutover.max_write_stop_ms / 2);
    stop_writes(source, tables_.source, settings_.replicator.names.group, limit);
    say("writes to the source are stopped; waiting for the target");
    PGSLUICE_FAILPOINT("cutover-stopped");
}

void Move::finish(Lsn lsn, Ends& ends, TimeLimit& limit) {
    if (const std::string table = joined_since(tables_, broker_, settings_.replicator.names); !table.empty())
        throw stop_error(fmt::format("unable to cut over: {} has joined the group since writes were stopped", table),
                         "Run it again, which moves that table, too.");
    set_sequences(ends);
    for (const std::string& trigger : enable_triggers(ends.source, ends.target, tables_.pairs))
        say(fmt::format("enabled trigger {}", trigger));
    PGSLUICE_FAILPOINT("cutover-ready");
    record_cutover(broker_, settings_.replicator.names, {lsn, sql::postgres_time_us(), stops_writes(settings_)});
    moved_ = true;
    limit.lift();
    open_target(ends.target, tables_);
    say(fmt::format("the target has all that was committed before {}", to_string(lsn)));
    say(fmt::format("the application may write to the target now; it could not write for {:.2f} s", seconds()));
}

// First to the rows: a running worker keeps them ahead, and notes how far they would be without that.
void Move::set_sequences(Ends& ends) {
    const std::string& group = settings_.replicator.names.group;
    PostgresProgress progress(ends.target, group, settings_.worker.worker);
    TableGuard guard(true);
    PostgresSequences sequences(ends.target, guard, group, settings_.worker.worker, log_);
    auto set = sequences.level(progress.written_tables());
    const auto of_source = sequences_to_move(ends.source, tables_);
    for (auto& each : take_source_values(ends.source, ends.target, of_source)) set.push_back(std::move(each));
    for (const auto& each : set) say(each.text());
    for (const std::string& name : missing_sequences(ends.target, of_source))
        log_(LogLevel::warning,
             fmt::format("the target has no sequence {}, so it was not set to the source's value", name));
}

}  // namespace pgsluice
