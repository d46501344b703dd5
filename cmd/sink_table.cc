#include "cmd/sink_table.h"

#include <array>

#include "sinks/file/sink.h"
#include "sinks/nats/sink.h"
#include "sinks/postgres/sink.h"
#include "sinks/stdout/sink.h"
#include "sinks/webhook/sink.h"

namespace pgsluice {

namespace {

struct SinkEntry {
    Commands commands;
    MakeSink make;
};

constexpr std::array sinks{
    SinkEntry{command_worker_stdout | command_import_stdout,
              [](const Settings& settings, DeadLetters&, DdlDecisions&, const Log& log, std::stop_token stop) {
                  return make_stdout_sink(settings.standard_output, log, std::move(stop));
              }},
    SinkEntry{command_worker_file | command_import_file,
              [](const Settings& settings, DeadLetters&, DdlDecisions&, const Log& log, std::stop_token stop) {
                  return make_file_sink(settings.file, log, std::move(stop));
              }},
    SinkEntry{command_worker_postgres | command_import_postgres,
              [](const Settings& settings, DeadLetters& dead_letters, DdlDecisions& decisions, const Log& log,
                 std::stop_token stop) {
                  return make_postgres_sink(settings.postgres, log, std::move(stop), &dead_letters, &decisions);
              }},
    SinkEntry{command_worker_webhook | command_import_webhook,
              [](const Settings& settings, DeadLetters& dead_letters, DdlDecisions&, const Log& log,
                 std::stop_token stop) -> std::unique_ptr<Sink> {
                  return make_webhook_sink(settings.webhook, log, std::move(stop), &dead_letters);
              }},
    SinkEntry{command_worker_nats | command_import_nats,
              [](const Settings& settings, DeadLetters&, DdlDecisions&, const Log& log, std::stop_token stop) {
                  return make_nats_sink(settings.nats_sink, settings.nats, log, std::move(stop));
              }},
};

}  // namespace

MakeSink find_sink(Command command) {
    for (const SinkEntry& entry : sinks) {
        if ((entry.commands & command) != 0) return entry.make;
    }
    return nullptr;
}

}  // namespace pgsluice
