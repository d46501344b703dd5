// The program: reads the settings, runs the command, and turns exceptions into a message and an exit code.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cmd/application_name.h"
#include "cmd/cli/help.h"
#include "cmd/cli/invocation.h"
#include "cmd/ending.h"
#include "cmd/exit_code.h"
#include "cmd/process.h"
#include "cmd/reference/completion.h"
#include "cmd/reference/manual_page.h"
#include "cmd/reload.h"
#include "cmd/sanitized.h"
#include "cmd/signals.h"
#include "cmd/subcommands.h"
#include "cmd/terminal/compare_bar.h"
#include "cmd/terminal/log_writer.h"
#include "cmd/terminal/snapshot_bars.h"
#include "cmd/terminal/status_lines.h"
#include "sql/error.h"
#include "stream/base/printable.h"

namespace {

using namespace pgsluice;

// The final message: for people, or as one more line of a log that machines read.
ExitCode report(const Error& error, const Log* json_log) {
    const std::string hint = error.hint().empty() ? "" : "HINT: " + printable(error.hint()) + '\n';
    if (json_log != nullptr)
        (*json_log)(LogLevel::error, in_one_line(error));
    else
        std::fprintf(stderr, "error: %s\n%s", printable(error.what()).c_str(), hint.c_str());
    return exit_code(error);
}

int print(const std::string& text) {
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    return written ? exit_done : exit_stopped;
}

void set_progress_bars(Settings& settings, const std::shared_ptr<StatusLines>& lines) {
    settings.replicator.on_snapshot_progress = draw_copy(lines);
    settings.compare.on_progress = draw_comparison(lines);
}

Settings named(Settings settings, const CommandInfo& command) {
    set_names(settings);
    set_application_name(settings, command.words);
    return settings;
}

std::map<std::string, Settings> by_part(Settings settings) {
    std::map<std::string, Settings> parts;
    for (PartSettings& part : settings.parts) parts.emplace(part.name, std::move(part.settings));
    settings.parts.clear();
    parts.emplace("", std::move(settings));
    return parts;
}

// For SIGHUP. A command that ends by itself reads its settings once.
std::function<void()> on_hangup(const CommandInfo& command, Reload& reload) {
    if ((command.command & (commands_process | command_serve)) == 0) return {};
    return [&reload] { reload(); };
}

ExitCode run(Subcommand command, const Invocation& invocation, const std::vector<std::string>& arguments) {
    LogOptions log_options = invocation.settings.log;
    log_options.group = invocation.settings.group;
    log_options.worker = invocation.settings.worker.worker;
    log_options.changing_level = std::make_shared<std::atomic<LogLevel>>(log_options.level);
    const auto lines = std::make_shared<StatusLines>(STDERR_FILENO);
    const Log log = log_to(lines, log_options);
    const auto read = [&] { return by_part(read_invocation(arguments, process_environment()).settings); };
    Reload reload(read, log);
    const SignalWatch signals(log, on_hangup(*invocation.command, reload));
    for (const std::string& warning : invocation.warnings) log(LogLevel::warning, warning);
    try {
        Settings settings = named(invocation.settings, *invocation.command);
        if (lines->drawable() && log_options.format == LogFormat::text) set_progress_bars(settings, lines);
        const Process process{log,   log_options.changing_level, signals.token(), reload, "",
                              lines, log_options.format,         nullptr};
        return command(invocation.command->command, std::move(settings), process);
    } catch (const Interrupted&) {
        return exit_done;
    } catch (const Error& error) {
        const ExitCode code = report(error, log_options.format == LogFormat::json ? &log : nullptr);
        const Command asked = invocation.command->command;
        if (asked == command_check_leaks && code == exit_gave_up) return exit_fail;
        const bool warns = (asked & (command_status | command_check | command_check_leaks)) != 0;
        return warns && code == exit_stopped ? exit_fail : code;  // 1 is its warning
    }
}

// Of the commands that only print one.
std::string text_of(const Invocation& invocation) {
    switch (invocation.command->command) {
        case command_config:
            return invocation.text;
        case command_help_markdown:
            return markdown_tables();
        case command_man:
            return manual_page();
        case command_completion_bash:
            return bash_completion();
        case command_completion_zsh:
            return zsh_completion();
        case command_completion_fish:
            return fish_completion();
        default:
            return "pgsluice " PGSLUICE_VERSION "\n";
    }
}

int run(const std::vector<std::string>& arguments) {
    const Invocation invocation = read_invocation(arguments, process_environment());
    if (invocation.command == nullptr) return print(overview());
    if (invocation.help) return print(command_help(*invocation.command));
    if (const Subcommand command = subcommand(invocation.command->command)) return run(command, invocation, arguments);
    return print(text_of(invocation));
}

// A core file would hold secrets, and rows as they were before rules hid something of them. The hard limit stays, so
// that prlimit can allow one.
void write_no_core_files() {
    rlimit limit{};
    if (getrlimit(RLIMIT_CORE, &limit) != 0) return;
    limit.rlim_cur = 0;
    setrlimit(RLIMIT_CORE, &limit);
}

int run_or_report(const std::vector<std::string>& arguments) {
    try {
        return run(arguments);
    } catch (const Error& error) {
        return report(error, nullptr);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\nHINT: This is a bug in pgsluice %s; please report it.\n",
                     printable(error.what()).c_str(), PGSLUICE_VERSION);
        return exit_bug;
    }
}

}  // namespace

int main(int argc, char** argv) {
    write_no_core_files();
    const int code = run_or_report({argv + std::min(argc, 1), argv + argc});
    if constexpr (sanitized) return code;  // leaks are looked for at the end
    // Exit handlers of libraries are left out: a thread of theirs may be ending just then (nats.c's are detached), and
    // OpenSSL's handler takes from it what it needs for that.
    std::fflush(nullptr);
    std::_Exit(code);
}
