#include "stream/nats/stream_setup.h"

#include <algorithm>

#include "stream/nats/server_version.h"

namespace pgsluice::nats {

namespace {

// Valid as long as both are. jsStreamConfig_Init() has the rest: limits of none, and retention by these.
jsStreamConfig stream_of(const std::string& name, std::vector<const char*>& subjects, int replicas) {
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    config.Name = name.c_str();
    config.Subjects = subjects.data();
    config.SubjectsLen = static_cast<int>(subjects.size());
    config.Storage = js_FileStorage;
    config.Retention = js_LimitsPolicy;
    config.Discard = js_DiscardNew;
    config.Replicas = replicas;
    return config;
}

void update_stream(const Link& link, jsStreamConfig& config) {
    jsErrCode js_error{};
    const auto status = js_UpdateStream(nullptr, link.js(), &config, nullptr, &js_error);
    link.check(status, fmt::format("change stream '{}'", config.Name), std::string("STREAM.UPDATE.") + config.Name,
               js_error);
}

}  // namespace

// A server before 2.10.11 stores a message, finds that the account is over its limit, and deletes the message again:
// that leaves holes in the stream, and smaller messages after it are stored. So the stream's own limit must be reached
// first.
void check_account(const Link& link, std::int64_t account_bytes, const Names& names, const StreamConfig& config) {
    const bool limited = account_bytes > 0 && (config.max_bytes <= 0 || config.max_bytes >= account_bytes);
    if (!limited || !is_before(ask_server_version(link.connection()), {2, 10, 11})) return;
    throw stop_error(fmt::format("unable to use stream '{}': its NATS account may store {} bytes, and this nats-server "
                                 "loses messages when an account is full",
                                 names.stream, account_bytes),
                     "Set --stream-max-bytes well below that limit, or use nats-server 2.10.11 or later.");
}

void add_stream(const Link& link, const std::string& stream, std::vector<const char*> subjects,
                const StreamConfig& config) {
    jsStreamConfig wanted = stream_of(stream, subjects, config.replicas);
    wanted.MaxBytes = config.max_bytes;
    jsErrCode js_error{};
    const auto status = js_AddStream(nullptr, link.js(), &wanted, nullptr, &js_error);
    const auto doing = fmt::format("create stream '{}'", stream);
    if (js_error == JSStreamSubjectOverlapErr) {
        throw stop_error(
            fmt::format("unable to {}: another stream already has subject '{}'", doing, subjects.front()),
            fmt::format("Find it with `nats stream ls --subject={}` and remove it, or choose another --group.",
                        subjects.front()));
    }
    link.check(status, doing, "STREAM.CREATE." + stream, js_error);
}

// As the library makes a bucket, but for roll-ups: with a header of that name, whoever may write one key empties all.
void add_bucket(const Link& link, const std::string& bucket, int replicas) {
    const std::string name = "KV_" + bucket;
    const std::string keys = fmt::format("$KV.{}.>", bucket);
    std::vector<const char*> subjects{keys.c_str()};
    jsStreamConfig wanted = stream_of(name, subjects, replicas);
    wanted.MaxMsgsPerSubject = 1;
    wanted.DenyDelete = true;
    wanted.AllowDirect = true;
    jsErrCode js_error{};
    const auto status = js_AddStream(nullptr, link.js(), &wanted, nullptr, &js_error);
    link.check(status, fmt::format("create KV bucket '{}'", bucket), "STREAM.CREATE." + name, js_error);
}

std::vector<Error> config_faults(const jsStreamConfig& config, const Names& names) {
    std::vector<Error> faults;
    const auto wrong = [&](const std::string& what, const std::string& mend) {
        faults.push_back(stop_error(fmt::format("unable to use stream '{}': {}", names.stream, what), mend));
    };
    const auto edit = [&names](const std::string& option) {
        return fmt::format("Run `nats stream edit {} {} --force`.", names.stream, option);
    };
    const std::string remove = fmt::format(
        "Remove the stream with `nats stream rm {} --force` and start again; where it held the group's messages, with "
        "--copy-and-stream --resnapshot.",
        names.stream);
    if (config.Storage != js_FileStorage) {
        wrong("its storage is memory, so a restart of the server would lose it", remove);
    }
    if (config.Retention != js_LimitsPolicy) {
        wrong("its retention policy is not limits, so reading would remove messages", remove);
    }
    if (config.MaxAge != 0) wrong("it has a maximum age, so unread changes would expire", edit("--max-age=0s"));
    if (config.Discard != js_DiscardNew) {
        wrong("it discards old messages when full, so unread changes would be lost", edit("--discard=new"));
    }
    if (config.MaxMsgs > 0) wrong("it has a maximum number of messages", edit("--max-msgs=-1"));
    if (config.MaxMsgsPerSubject > 0) {
        wrong("it has a maximum number of messages per subject, so unread changes would be lost",
              edit("--max-msgs-per-subject=-1"));
    }
    if (config.MaxMsgSize > 0) wrong("it has a maximum message size", edit("--max-msg-size=-1"));
    for (const auto& subject : {names.snapshot_subject, names.changes_subject}) {
        const bool taken = std::any_of(config.Subjects, config.Subjects + config.SubjectsLen,
                                       [&subject](const char* has) { return subject == has; });
        if (!taken) {
            wrong(fmt::format("subject '{}' is not among its subjects", subject),
                  edit(fmt::format("--subjects={},{}", names.snapshot_subject, names.changes_subject)));
        }
    }
    return faults;
}

void check_config(const jsStreamConfig& config, const Names& names) {
    const auto faults = config_faults(config, names);
    if (!faults.empty()) throw Error(faults.front());
}

// A server outside a cluster accepts any number of replicas when a stream is changed, but keeps one.
void check_replicas(const Link& link, const std::string& stream, bool clustered, const StreamConfig& wanted) {
    if (wanted.replicas <= 1 || clustered) return;
    throw stop_error(fmt::format("unable to keep {} replicas of stream '{}': NATS at '{}' is a single server",
                                 wanted.replicas, stream, link.name()),
                     "Leave out --stream-replicas for this server; more than 1 needs a NATS cluster.");
}

// Applies the size and replicas given on the command line.
void apply_limits(const Link& link, jsStreamConfig& current, const StreamConfig& wanted) {
    const auto unlimited = [](std::int64_t bytes) { return bytes <= 0 ? -1 : bytes; };
    if (unlimited(current.MaxBytes) == unlimited(wanted.max_bytes) && current.Replicas == wanted.replicas) return;
    link.log(LogLevel::info, fmt::format("changing stream '{}': at most {} bytes, {} replicas", current.Name,
                                         unlimited(wanted.max_bytes), wanted.replicas));
    current.MaxBytes = wanted.max_bytes;
    current.Replicas = wanted.replicas;
    update_stream(link, current);
}

// Of the bucket or the dead letters. A bucket that was made before may allow roll-ups.
void apply_config(const Link& link, const std::string& stream, int replicas) {
    const auto info = link.stream_info(stream);
    if (!info || (info->Config->Replicas == replicas && !info->Config->AllowRollup)) return;
    info->Config->Replicas = replicas;
    info->Config->AllowRollup = false;
    update_stream(link, *info->Config);
}

}  // namespace pgsluice::nats
