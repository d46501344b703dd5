#include "cmd/cutover/cutover.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <memory>

#include "cmd/commands/compare.h"
#include "cmd/commands/group_tables.h"
#include "cmd/cutover/move.h"
#include "cmd/cutover/moved_tables.h"
#include "cmd/cutover/readiness.h"
#include "cmd/cutover/reverse.h"
#include "cmd/cutover/target.h"
#include "cmd/cutover/write_stop.h"
#include "cmd/terminal/say.h"
#include "sql/error.h"
#include "sql/timestamp.h"
#include "stream/group/cutover_record.h"
#include "worker/compare/compare.h"
#include "worker/compare/cut.h"

namespace pgsluice {

namespace {

bool compares(const CutoverOptions& options, CompareAt when) {
    return options.compare == when || options.compare == CompareAt::both;
}

class Cutover {
   public:
    Cutover(const Settings& settings, const Log& log, std::stop_token stop)
        : settings_(settings),
          options_(settings.cutover),
          names_(settings.replicator.names),
          log_(log),
          stop_(std::move(stop)),
          broker_(Broker::connect(settings.nats, log, stop_)),
          source_(connect_end(settings.replicator.source, stop_)),
          target_(connect_end(settings.postgres.target, stop_)),
          tables_(find_moved_tables(settings_, *broker_, source_, target_)) {}

    void run() {
        if (const auto record = find_cutover(*broker_, names_)) {
            const auto open = no_longer_stopped(*record);
            // One that was taken back, by hand or by a cutover of the group that leads back, holds no more.
            if (!record->writes_stopped) return say_done(*record, joined_after(record->lsn, *broker_, names_));
            if (open.empty() || open.size() < tables_.source.size()) return say_done(*record, open);
        }
        CutoverReadiness readiness(settings_, *broker_, source_, log_);
        require_rights();
        readiness.require();
        if (!settings_.yes) return say_plan();
        if (compares(options_, CompareAt::before)) compare_before();
        prepare(readiness);
        const bool compared = compares(options_, CompareAt::after);
        const auto published = compared ? chosen() : std::vector<PublishedTable>();
        const auto report = Move(settings_, *broker_, tables_, log_, stop_).run(compared ? &published : nullptr);
        validate();
        if (report) print(*report);
        say_next(stops_writes());
        if (report && !report->equal())
            throw stop_error("source and target were not equal at the cutover",
                             "The rows are listed above. The application may already write to the target: mend them "
                             "by hand there, not with pgsluice compare --repair.");
    }

   private:
    std::vector<std::string> no_longer_stopped(const CutoverRecord& record) {
        if (!record.writes_stopped) return {};
        return tables_open_to_writes(source_, tables_.source);
    }

    void require_rights() {
        if (stops_writes()) require_may_stop_writes(source_, tables_.source);
        require_may_finish(target_, tables_.target);
        if (!options_.reverse.empty() &&
            !(settings_.worker.rules.rules_file.empty() && settings_.worker.rules.routing_file.empty()))
            throw usage_error("unable to lead back what rules or routes have changed on the way",
                              "Leave out --reverse.");
    }

    [[nodiscard]] bool stops_writes() const { return options_.stop_writes == StopWrites::tables; }

    [[nodiscard]] std::string compared_rows() const {
        const double percent = settings_.compare.sample_percent;
        return percent == 0 ? "source and target" : fmt::format("a sample of {} % of source and target", percent);
    }

    void say_plan() {
        say(fmt::format("group '{}' is ready: {} tables would move from {} to {}", names_.group, tables_.names.size(),
                        sql::describe(source_.options()), sql::describe(target_.options())));
        if (compares(options_, CompareAt::before))
            say(fmt::format("- compare {} while the application writes", compared_rows()));
        say("- ANALYZE the target's tables");
        if (!options_.reverse.empty())
            say(fmt::format("- make group '{}' from the target to the source", options_.reverse));
        if (stops_writes())
            say(
                fmt::format("- make trigger pgsluice_cutover on {} tables of the source, which refuses every write; "
                            "drop it again if the target does not follow within {} s",
                            tables_.source.size(), options_.max_write_stop_ms / 1000));
        else
            say("- stop no writes: do not write to the source from now on");
        say("- wait until the target has all that was written; set its sequences, enable its triggers");
        say("- VALIDATE constraints of the target that are NOT VALID");
        if (compares(options_, CompareAt::after)) say(fmt::format("- compare {} as of then", compared_rows()));
        say("nothing was done; add --yes to do it");
    }

    void compare_before() {
        say(fmt::format("comparing {} while the application writes", compared_rows()));
        const CompareReport report = compare(compare_options_of(settings_), chosen(), *broker_, log_, stop_);
        print(report);
        if (!report.equal())
            throw stop_error("unable to cut over: source and target are not equal",
                             "The rows are listed above; pgsluice compare --repair writes them again.");
    }

    // Tables may join or leave the group in all this time: those that it has in the end move.
    void prepare(CutoverReadiness& readiness) {
        find_again();
        do {
            say("analyzing the target's tables");
            analyze(target_, tables_.names);
            if (!options_.reverse.empty()) begin_way_back();
            readiness.await_small_lag();
        } while (find_again());
    }

    // Whether they are others than before.
    bool find_again() {
        MovedTables now = find_moved_tables(settings_, *broker_, source_, target_);
        if (now == tables_) return false;
        tables_ = std::move(now);
        require_rights();
        return true;
    }

    std::vector<PublishedTable> chosen() {
        TableChoice choice;
        choice.tables = options_.compare_tables;
        return published_of_group(settings_, choice, *broker_, stop_);
    }

    void print(const CompareReport& report) {
        const std::string text = to_text(report, false);
        std::fwrite(text.data(), 1, text.size(), stdout);
        std::fflush(stdout);
    }

    void begin_way_back() {
        say(fmt::format("beginning group '{}', from the target to the source", options_.reverse));
        begin_reverse(settings_, tables_, log_, stop_);
    }

    void validate() {
        const Validated validated = validate_constraints(source_, target_, tables_.pairs);
        for (const std::string& constraint : validated.valid) say(fmt::format("validated {}", constraint));
        for (const std::string& constraint : validated.refused)
            log_(LogLevel::warning, fmt::format("stays NOT VALID: {}", constraint));
    }

    // `open`: tables that joined the group since then.
    void say_done(const CutoverRecord& record, const std::vector<std::string>& open) {
        say(fmt::format("group '{}' was cut over at {}, {} s ago; pgsluice cutover --undo forgets that", names_.group,
                        to_string(record.lsn), (sql::postgres_time_us() - record.at_us) / 1'000'000));
        if (record.writes_stopped) open_target(target_, tables_);
        validate();
        say_next(record.writes_stopped);
        if (open.empty()) return;
        throw stop_error(
            fmt::format("the cutover does not hold for {}: the source may still be written to", fmt::join(open, ", ")),
            fmt::format("If a table is new since then, write to it at the target only, set its sequences there, and "
                        "see with pgsluice compare --tables '{}' that it has all. To move all tables again, give "
                        "--undo first.",
                        fmt::join(open, ",")));
    }

    void say_next(bool writes_are_stopped) {
        say("next:");
        say("- the application writes to the target");
        if (!options_.reverse.empty()) say_way_back();
        if (writes_are_stopped)
            say("- the source's tables refuse writes; pgsluice cutover --undo lets them be written to again");
        say(fmt::format("- stop replicator and worker of group '{0}', then pgsluice teardown --group {0} removes it",
                        names_.group));
    }

    void say_way_back() {
        say(
            fmt::format("- the way back: run, with the target as the source, pgsluice replicator --group {} --stream "
                        "--origin none --tables '{}'",
                        options_.reverse, fmt::join(tables_.names, ",")));
        say(
            fmt::format("  and, with the source as the target, pgsluice worker postgres --group {0}; to return, "
                        "pgsluice cutover --group {0} with both URLs exchanged",
                        options_.reverse));
        say("  until that replicator runs, its slot keeps the target's WAL");
    }

    const Settings& settings_;
    const CutoverOptions& options_;
    const Names& names_;
    const Log& log_;
    const std::stop_token stop_;
    std::unique_ptr<Broker> broker_;
    sql::Connection source_;
    sql::Connection target_;
    MovedTables tables_;
};

void undo(const Settings& settings, const Log& log, const std::stop_token& stop) {
    const Names& names = settings.replicator.names;
    sql::Connection source = connect_end(settings.replicator.source, stop);
    const std::size_t count = allow_writes(source, tables_stopped_by(source, names.group));
    forget_cutover(*Broker::connect(settings.nats, log, stop), names);
    say(count == 0 ? "no table of the source refused writes"
                   : fmt::format("{} tables of the source may be written to again", count));
}

}  // namespace

void run_cutover(Settings settings, const Log& log, std::stop_token stop) {
    if (settings.cutover.undo) return undo(settings, log, stop);
    Cutover(settings, log, std::move(stop)).run();
}

}  // namespace pgsluice
