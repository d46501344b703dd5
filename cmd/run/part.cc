#include "cmd/run/part.h"

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <utility>

#include "cmd/application_name.h"
#include "cmd/ending.h"
#include "cmd/http/shared_endpoint.h"
#include "cmd/subcommands.h"
#include "sql/error.h"
#include "stream/base/pause.h"

namespace pgsluice {

namespace {

constexpr std::chrono::seconds wait_for_server(10);

Log log_of(const PartSettings& part, const Process& process, std::shared_ptr<std::atomic<LogLevel>> level) {
    LogOptions options = part.settings.log;
    options.format = process.log_format;
    options.group = part.settings.group;
    options.worker = part.command->command == command_replicator ? "" : part.settings.worker.worker;
    options.part = part.name;
    options.changing_level = std::move(level);
    return log_to(process.lines, options);
}

}  // namespace

Part::Part(PartSettings settings, const Process& process, std::function<void()> begun, std::function<void()> ended)
    : settings_(std::move(settings)),
      process_(process),
      log_level_(std::make_shared<std::atomic<LogLevel>>(settings_.settings.log.level)),
      log_(log_of(settings_, process, log_level_)),
      tell_begun_(std::move(begun)),
      tell_ended_(std::move(ended)),
      thread_([this] { run(); }) {}

bool Part::replicates() const noexcept { return settings_.command->command == command_replicator; }

void Part::run() {
    try {
        code_ = run_until_ended();
    } catch (const Interrupted&) {
    } catch (const Error& error) {
        code_ = stay_stopped(exit_code(error), in_one_line(error));
    } catch (const std::exception& error) {
        code_ =
            stay_stopped(exit_bug, fmt::format("{}; HINT: This is a bug in pgsluice; please report it.", error.what()));
    }
    ended_ = true;
    tell_ended_();
}

// A process of its own would end when a server does not answer at its start, and be started again by its supervisor.
ExitCode Part::run_until_ended() {
    const Subcommand command = subcommand(settings_.command->command);
    bool told = false;
    const auto begun = [&, started = std::chrono::steady_clock::now()] {
        tell_begun_();
        if (std::exchange(told, true)) return;
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
        log_(LogLevel::info, fmt::format("running, {:.2f} s after its start", took.count()));
    };
    Process process{log_,           log_level_,          stop_.get_token(), process_.reload, settings_.name,
                    process_.lines, process_.log_format, process_.endpoint, begun,           process_.beside};
    process.starts_again = true;
    while (true) {
        Settings settings = settings_.settings;
        set_application_name(settings, settings_.command->words);
        try {
            return command(settings_.command->command, std::move(settings), process);
        } catch (const Error& error) {
            if (exit_code(error) != exit_gave_up || stop_.stop_requested()) throw;
            log_(LogLevel::warning,
                 fmt::format("{}; starting again in {} s", in_one_line(error), wait_for_server.count()));
        }
        if (!pause(stop_.get_token(), wait_for_server)) return exit_done;
    }
}

ExitCode Part::stay_stopped(ExitCode code, const std::string& why) {
    failure_ = why;
    log_(LogLevel::error, fmt::format("stays stopped until the process is restarted: {}", why));
    if (process_.endpoint != nullptr) process_.endpoint->stopped(settings_.name, why);
    return code;
}

}  // namespace pgsluice
