#include "cmd/cli/invocation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>

#include "cmd/cli/command_line.h"
#include "cmd/cli/config_file.h"
#include "cmd/cli/contradictions.h"
#include "cmd/cli/in_force.h"
#include "cmd/cli/parts.h"
#include "cmd/cli/rules_of_workers.h"
#include "cmd/cli/value.h"
#include "sql/connect/conninfo.h"
#include "sql/error.h"

namespace pgsluice {

namespace {

std::string join_names(Commands mask) {
    std::vector<std::string_view> names;
    for (const CommandInfo& command : commands()) {
        if ((mask & command.command) != 0) names.push_back(command.words);
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

// A flag of another command is a mistake on the command line, but fine in the environment and in a shared file.
void check_flags_apply(const CommandInfo& command, const GivenSettings& given) {
    for (const Flag& flag : flags()) {
        const Given* found = given.find(flag.name);
        if (found == nullptr || applies(flag, command.command)) continue;
        throw usage_error(fmt::format("--{} is not a flag of '{}'", flag.name, command.words),
                          fmt::format("It belongs to: {}.", join_names(flag.commands)));
    }
}

// `version` must work whatever is in a configuration file.
bool takes_flags(const CommandInfo& command) {
    return std::any_of(flags().begin(), flags().end(),
                       [&](const Flag& flag) { return applies(flag, command.command); });
}

// Empty when there is none.
std::string configuration_path(const GivenSettings& upper, const Environment& environment) {
    if (const Given* config = upper.find("config")) return config->values.back();
    const auto home = environment.find("HOME");
    if (home == environment.end() || home->second.empty()) return {};
    const std::string path = home->second + "/.pgsluice.yaml";
    std::error_code unreadable;
    return std::filesystem::exists(path, unreadable) ? path : std::string();
}

bool holds_password(const std::string& url) {
    if (url.find("password=") != std::string::npos) return true;
    const std::size_t scheme = url.find("://");
    if (scheme == std::string::npos) return false;
    const std::string authority = url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
    const std::size_t at = authority.rfind('@');
    return at != std::string::npos && authority.find(':') < at;
}

// A name alone is a token.
bool holds_login(const std::string& nats_urls) { return nats_urls.find('@') != std::string::npos; }

bool authorizes(const std::string& header) {
    constexpr std::string_view name = "authorization:";
    return std::ranges::equal(header.substr(0, name.size()), name, [](char a, char b) { return (a | 0x20) == b; });
}

bool holds_secret(const GivenSettings& file) {
    return std::ranges::any_of(flags(), [&](const Flag& flag) {
        const Given* given = file.find(flag.name);
        if (given == nullptr || given->refers) return false;
        if (flag.name.starts_with("nats-") && flag.name.ends_with("-url"))
            return std::ranges::any_of(given->values, holds_login);
        if (flag.name.ends_with("-url")) return std::ranges::any_of(given->values, holds_password);
        if (flag.name == "webhook-header") return std::ranges::any_of(given->values, authorizes);
        return flag.kind == FlagKind::secret;
    });
}

bool holds_secret(const ConfigFile& file) {
    return holds_secret(file.given) || std::ranges::any_of(file.groups, [](const GivenGroup& group) {
               return holds_secret(group.given) ||
                      std::ranges::any_of(group.parts, [](const GivenPart& part) { return holds_secret(part.given); });
           });
}

// Nothing when only its owner can read the file, or there is no secret in it.
std::vector<std::string> readable_secrets(const std::string& path, const ConfigFile& file) {
    using std::filesystem::perms;
    std::error_code unreadable;
    const perms mode = std::filesystem::status(path, unreadable).permissions();
    const bool others = !unreadable && (mode & (perms::group_read | perms::others_read)) != perms::none;
    if (!others || !holds_secret(file)) return {};
    return {fmt::format(
        "configuration file '{0}' holds a secret and others than its owner can read it; chmod 600 '{0}'", path)};
}

// The parts of a connection win over its URL, but not if the URL was given where it has precedence.
void drop_outranked_parts(GivenSettings& given, const std::string& url_flag, const std::string& prefix) {
    const Given* url = given.find(url_flag);
    if (url == nullptr) return;
    for (const char* part : {"host", "port", "dbname", "user", "password"}) {
        if (part == std::string_view("password") && !holds_password(url->values.back())) continue;
        const Flag* flag = find_flag(prefix + part);
        const Given* found = given.find(flag->name);
        if (found != nullptr && found->level < url->level) given.remove(flag->name);
    }
}

// The mode is the one asked for where precedence is highest; two at the same level contradict each other.
void drop_outranked_modes(GivenSettings& given) {
    constexpr std::array modes{"stream", "copy", "copy-and-stream"};
    const Given* chosen = nullptr;
    for (const char* mode : modes) {
        const Given* found = given.find(mode);
        if (found == nullptr) continue;
        try {
            if (!parse_boolean(found->values.back())) continue;
        } catch (const BadValue&) {
            continue;  // refused when it is applied
        }
        if (chosen != nullptr && chosen->level == found->level) {
            throw usage_error(fmt::format("{} and {} contradict each other", chosen->where, found->where),
                              "Give at most one of --stream, --copy and --copy-and-stream.");
        }
        if (chosen == nullptr || found->level > chosen->level) chosen = found;
    }
    if (chosen == nullptr) return;
    const std::string_view kept = chosen->flag->name;
    for (const char* mode : modes) {
        if (mode != kept) given.remove(mode);
    }
}

// What a flag's value comes from instead: "password-file" for "password". Null when there is no such flag.
const Flag* file_flag(const Flag& flag) { return find_flag(std::string(flag.name) + "-file"); }

// One secret from two places: which one counts must not depend on the table's order. Then those from files take their
// flags' places. Files of other commands are not looked at.
void read_secret_files(const CommandInfo& command, GivenSettings& given) {
    for (const Flag& flag : flags()) {
        const Flag* by_file = !applies(flag, command.command) ? nullptr : file_flag(flag);
        const Given* file = by_file == nullptr ? nullptr : given.find(by_file->name);
        if (file == nullptr) continue;
        if (const Given* text = given.find(flag.name)) {
            throw usage_error(fmt::format("{} and {} contradict each other", text->where, file->where),
                              "Give one of them.");
        }
        Given read{&flag, file->level, file->where, {}};
        try {
            read.values = {read_secret_file(file->values.back())};
        } catch (const BadValue& bad) {
            throw usage_error(fmt::format("bad value '{}' of {}: {}", file->values.back(), file->where, bad.what()));
        }
        given.remove(by_file->name);
        given.add(std::move(read));
    }
}

bool needs_source(const CommandInfo& command, const Settings& settings) {
    if (command.command == command_replicator) return !is_bootstrap_step(settings.replicator.bootstrap.verb);
    if (command.command == command_check_rules) return settings.finding.suggest || settings.finding.coverage;
    return (command.command & (command_teardown | command_compare | command_cutover | command_check_leaks)) != 0;
}

void apply_value(Settings& settings, const Given& given, const std::string& value) {
    try {
        given.flag->set(settings, value);
    } catch (const BadValue& bad) {
        const bool shown = given.flag->kind != FlagKind::secret && given.flag->kind != FlagKind::repeated;
        throw usage_error(shown ? fmt::format("bad value '{}' of {}: {}", value, given.where, bad.what())
                                : fmt::format("bad value of {}: {}", given.where, bad.what()));
    }
}

Settings apply(const CommandInfo& command, const GivenSettings& given) {
    Settings settings;
    for (const Flag& flag : flags()) {
        if (!applies(flag, command.command)) continue;
        const Given* found = given.find(flag.name);
        if (found == nullptr) {
            if ((flag.required & command.command) != 0) {
                throw usage_error(
                    fmt::format("--{} is required", flag.name),
                    fmt::format(
                        "Give --{0}, the environment variable PGSLUICE_{1}, or '{0}' in the configuration file.",
                        flag.name, environment_suffix(flag.name)));
            }
            if (!flag.fallback.empty()) flag.set(settings, flag.fallback);
            continue;
        }
        if (!found->unusable.empty())
            throw usage_error(fmt::format("bad value of {}: {}", found->where, found->unusable));
        for (const std::string& value : found->values) apply_value(settings, *found, value);
    }
    return settings;
}

void require_connection(const sql::ConnectOptions& options, std::string_view url_flag, std::string_view prefix) {
    if (is_given(options)) return;
    throw usage_error(fmt::format("no {} database given", options.role),
                      fmt::format("Give --{}, or --{}host, --{}dbname and so on, or a service of pg_service.conf "
                                  "(--{} service=NAME).",
                                  url_flag, prefix, prefix, url_flag));
}

ReplicatorMode mode_of(const Settings& settings, const GivenSettings& given) {
    if (settings.mode_copy) return ReplicatorMode::copy;
    if (settings.mode_copy_and_stream) return ReplicatorMode::copy_and_stream;
    if (!settings.mode_stream && given.find("stream") != nullptr) {
        throw usage_error(fmt::format("{} leaves nothing to do", given.find("stream")->where),
                          "Give --copy or --copy-and-stream.");
    }
    return ReplicatorMode::stream;
}

// What a command reads from or writes to, where it works on one database. `compare`, `cutover` and `teardown` have two,
// and PGSERVICE cannot mean both.
sql::ConnectOptions* only_database(const CommandInfo& command, Settings& settings) {
    if ((command.command & (command_replicator | command_status | command_check_rules)) != 0)
        return &settings.replicator.source;
    if ((command.command & (command_worker_postgres | command_import_postgres | command_sequences)) != 0)
        return &settings.postgres.target;
    const bool replays_rows = command.command == command_dlq_replay && settings.webhook.url.empty();
    return replays_rows ? &settings.postgres.target : nullptr;
}

// libpq would find the service by itself; but a database that nothing names is taken for one that was not given.
void use_service(const CommandInfo& command, const Environment& environment, Settings& settings) {
    const auto service = environment.find("PGSERVICE");
    sql::ConnectOptions* database = only_database(command, settings);
    if (database == nullptr || is_given(*database) || service == environment.end() || service->second.empty()) return;
    database->url = "service=" + sql::conninfo_value(service->second);
}

// What remembers a worker remembers this one, beside those of the group.
void finish_import(Settings& settings) {
    settings.import_options.rules = settings.worker.rules;
    settings.worker.worker = "import";
    if (settings.group.empty()) settings.group = "import";
}

// Checks that concern several flags, and settings that several components need.
void finish(const CommandInfo& command, const GivenSettings& given, const Environment& environment,
            Settings& settings) {
    settings.replicator.source.role = settings.postgres.source.role = "source";
    settings.postgres.target.role = "target";
    use_service(command, environment, settings);
    check_contradictions(command, settings);
    settings.replicator.nats = settings.worker.nats = settings.nats;
    if (needs_source(command, settings)) require_connection(settings.replicator.source, "source-url", "");
    if ((command.command & (command_replicator | command_check)) != 0) {
        settings.replicator.mode = mode_of(settings, given);
    }
    if (command.command == command_status && settings.group.empty() && !settings.status.all)
        throw usage_error("--group is required", "Give --group, or --all.");
    if (command.command == command_health && settings.http_listen->port == 0)
        throw usage_error("port 0 of --http-listen is any free port, so it cannot be asked",
                          "Give the port that the process's log names.");
    if ((command.command & (command_sequences | command_check_leaks)) != 0)
        require_connection(settings.postgres.target, "target-url", "target-");
    const bool replays_posts = command.command == command_dlq_replay && !settings.webhook.url.empty();
    if ((command.command & (command_worker_postgres | command_dlq_replay | command_compare | command_cutover)) != 0 &&
        !replays_posts && !settings.cutover.undo) {
        require_connection(settings.postgres.target, "target-url", "target-");
        if (settings.postgres.sync_schema || settings.worker.direct_snapshot)
            require_connection(settings.postgres.source, "source-url", "source-");
    }
    if (command.command == command_check && is_given(settings.postgres.target) && settings.postgres.sync_schema)
        require_connection(settings.postgres.source, "source-url", "source-");
    if (command.command == command_import_postgres && !settings.import_options.dry_run)
        require_connection(settings.postgres.target, "target-url", "target-");
    if ((command.command & commands_import) != 0) finish_import(settings);
    if ((command.command & commands_worker) != 0) {
        settings.worker.sink = std::string(command.words.substr(command.words.find(' ') + 1));
        if (settings.worker.worker.empty()) settings.worker.worker = settings.worker.sink;
        settings.worker.makes_tables = settings.postgres.sync_schema;
    }
    check_share(command, settings);
    if ((command.command & (command_compare | command_cutover | command_check)) != 0 && settings.worker.worker.empty())
        settings.worker.worker = "postgres";
    if (command.command == command_dlq_replay && settings.worker.worker.empty()) {
        settings.worker.worker = replays_posts && !is_given(settings.postgres.target) ? "webhook" : "postgres";
    }
    if (settings.retry.initial_wait_ms > settings.retry.max_wait_ms) {
        throw usage_error("--retry-initial-wait is longer than --retry-max-wait");
    }
}

// What a command other than run finds in the file, where that has groups.
GivenSettings given_in(const ConfigFile& file, const CommandInfo& command, const GivenSettings& upper,
                       std::vector<std::string>& warnings) {
    const auto named = [&](const char* flag) {
        const Given* given = upper.find(flag);
        return given == nullptr ? std::string() : given->values.back();
    };
    if (command.command != command_run && !file.groups.empty())
        return given_for(file, command, named("group"), named("worker-name"), warnings);
    GivenSettings given = file.given;
    if (command.command == command_replicator) leave_rules_to_workers(given, warnings);
    return given;
}

void check_groups(const ConfigFile& file, const std::string& path) {
    if (path.empty()) throw usage_error("'run' needs a configuration file", "Give one with --config.");
    if (file.groups.empty())
        throw usage_error(fmt::format("configuration file '{}' has no groups to run", path),
                          "Give it 'groups:', with a replicator, workers or both for each.");
}

}  // namespace

Settings settings_of(const CommandInfo& command, GivenSettings given, const Environment& environment) {
    read_secret_files(command, given);
    if (command.command != command_worker_postgres) drop_outranked_parts(given, "source-url", "");
    if (command.command == command_worker_postgres || command.command == command_check)
        drop_outranked_parts(given, "source-url", "source-");
    drop_outranked_parts(given, "target-url", "target-");
    drop_outranked_modes(given);
    Settings settings = apply(command, given);
    finish(command, given, environment, settings);
    return settings;
}

Invocation read_invocation(const std::vector<std::string>& arguments, const Environment& environment) {
    CommandLine line = read_command_line(arguments);
    Invocation invocation;
    invocation.help = line.help;
    if (line.version) line.words = {"version"};
    const bool asks_for_overview =
        line.words.empty() || (line.words.size() == 1 && (line.words[0] == "worker" || line.words[0] == "import"));
    if (line.help && asks_for_overview) return invocation;
    invocation.command = &find_command(line.words);
    if (line.help) return invocation;
    const bool shows = invocation.command->command == command_config;
    if (!shows) check_flags_apply(*invocation.command, line.given);
    if (!shows && !takes_flags(*invocation.command)) return invocation;

    GivenSettings given = read_environment(environment);
    if (invocation.command->command == command_replicator) leave_rules_to_workers(given, invocation.warnings);
    given.add(line.given);
    const std::string path = configuration_path(given, environment);
    const ConfigFile file = path.empty() ? ConfigFile() : read_config_file(path, environment);
    GivenSettings all = shows ? file.given : given_in(file, *invocation.command, given, invocation.warnings);
    std::ranges::copy(readable_secrets(path, file), std::back_inserter(invocation.warnings));
    all.add(given);
    if (shows) {
        invocation.text = settings_in_force(all, path, environment) + groups_in_force(file.groups);
        return invocation;
    }
    invocation.settings = settings_of(*invocation.command, all, environment);
    if (invocation.command->command == command_run) {
        check_groups(file, path);
        invocation.settings.parts = parts_of(file.groups, all, environment, invocation.warnings);
    }
    std::ranges::copy(misspelt_variables(environment), std::back_inserter(invocation.warnings));
    return invocation;
}

}  // namespace pgsluice
