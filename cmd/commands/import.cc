#include "cmd/commands/import.h"

#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>

#include "cmd/commands/target_types.h"
#include "cmd/sink_table.h"
#include "sinks/postgres/apply/rows.h"
#include "sinks/postgres/conflict_metrics.h"
#include "sinks/postgres/sequences/source_values.h"
#include "sinks/webhook/request_metrics.h"
#include "worker/compare/cut.h"
#include "worker/import/import.h"

namespace pgsluice {

namespace {

// An import has neither a stream for these nor DDL; a row that is refused stops it.
struct NoDeadLetters : DeadLetters {
    void park(const Change& /*change*/, std::string_view /*reason*/, std::uint64_t /*reload*/) override {
        throw std::logic_error("an import has no dead letters");
    }
};
struct NoDecisions : DdlDecisions {
    std::optional<DdlDecision> find(const DdlPlace& /*place*/) override { return std::nullopt; }
    void ask(const PendingDdl& /*pending*/) override { throw std::logic_error("an import has no DDL"); }
    bool awaits(const DdlPlace& /*place*/) override { return false; }
};

// Never back: rows that were there before may use what lies between.
void set_sequences(const sql::ConnectOptions& options, const std::vector<dump::SequenceValue>& values, const Log& log,
                   const std::stop_token& stop) {
    sql::Connection target = connect_end(options, stop);
    for (const dump::SequenceValue& value : values) {
        try {
            if (const auto set = take_source_value(target, value.name, value.value, value.is_called))
                log(LogLevel::info, set->text());
        } catch (const SqlError& error) {
            if (error.action() == Action::retry) throw;
            log(LogLevel::warning, fmt::format("sequence {} stays as it was: {}", value.name, error.what()));
        }
    }
}

}  // namespace

void run_import_command(Command command, Settings settings, const Log& log, std::stop_token stop) {
    settings.webhook.metrics = std::make_shared<RequestMetrics>();
    settings.postgres.conflicts = std::make_shared<ConflictMetrics>();
    NoDeadLetters dead_letters;
    NoDecisions decisions;
    ImportEnds ends;
    ends.make_sink = [&](std::stop_token ending) {
        return find_sink(command)(settings, dead_letters, decisions, log, std::move(ending));
    };
    ends.print = [](const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); };
    std::optional<TargetTypes> types;
    if (command == command_import_postgres && is_given(settings.postgres.target)) {
        ends.find_table = [&](const QualifiedName& name, const std::vector<std::string>& columns) {
            if (!types) types.emplace(settings.postgres.target, settings.import_options.rules, stop);
            return types->find(name, columns);
        };
    }
    if (command == command_import_postgres)
        ends.set_sequences = [&](const std::vector<dump::SequenceValue>& values) {
            set_sequences(settings.postgres.target, values, log, stop);
        };
    try {
        run_import(settings.import_options, ends, log, stop);
    } catch (const SqlError& error) {
        if (error.hint() != refused_row_hint) throw;  // which names a flag of workers
        throw SqlError(error.action(), error.what(), error.sqlstate(),
                       "Change what refuses it on the target (the message names it), or leave such rows out with a "
                       "filter, and start the import again.");
    } catch (const OutputClosed&) {
        throw;
    } catch (const Interrupted&) {
        throw stop_error("the import was interrupted: not all rows were imported",
                         "Start it again. What it has written to a postgres target or to files is then thrown away "
                         "first.");
    }
}

}  // namespace pgsluice
