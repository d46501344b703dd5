#include "stream/broker_probe.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <stdexcept>

#include "stream/nats/account.h"
#include "stream/nats/link.h"
#include "stream/nats/message.h"
#include "stream/nats/server_version.h"
#include "stream/nats/stream_setup.h"

namespace pgsluice {

using namespace nats;

namespace {

// No stream can have this name, so every stream refuses a message that is meant for it.
constexpr const char* no_stream = "no stream has spaces";
// No request of JetStream's API is this text.
constexpr const char* no_request = "pgsluice check";
// Messages of a subject that no stream of ours has.
constexpr const char* no_purge = R"({"filter":"pgsluice-check.nothing"})";
constexpr std::int64_t first_wait_ms = 50;  // doubled each time
constexpr std::int64_t last_wait_ms = 200;

std::string domain_part(const Link& link) {
    const std::string& domain = link.options().js_domain;
    return domain.empty() ? "" : domain + ".";
}

struct NamesDestroyer {
    void operator()(jsStreamNamesList* list) const noexcept { jsStreamNamesList_Destroy(list); }
};

// Calls that act, for they take what is no JSON for an empty request.
void require_harmless(const std::string& subject) {
    for (const char* call : {".STREAM.PURGE.", ".STREAM.DELETE.", ".LEADER.STEPDOWN.", ".MSG.DELETE."})
        if (subject.find(call) != std::string::npos) throw std::logic_error(subject + " is not to be tried");
}

// Whether any answer comes, or the word that nobody is there to give one.
bool is_answered(const Link& link, const std::string& subject, const char* text, std::int64_t wait_ms) {
    const Msg request = make_message(subject, nullptr, text);
    check(natsMsgHeader_Set(request.get(), "Nats-Expected-Stream", no_stream), "set a header");
    natsMsg* made = nullptr;
    const auto status = natsConnection_RequestMsg(&made, link.connection(), request.get(), wait_ms);
    const Msg answer(made);
    if (status == NATS_TIMEOUT) return false;
    if (status != NATS_NO_RESPONDERS) check(status, "ask NATS what the user may do");
    return true;
}

}  // namespace

BrokerProbe::BrokerProbe(const BrokerOptions& options, Log log, std::stop_token stop)
    : link_(std::make_shared<Link>(options, std::move(log), std::move(stop))) {}

BrokerProbe::~BrokerProbe() = default;

BrokerServer BrokerProbe::server() const {
    const std::string info = ask_server_info(link_->connection());
    const auto payload = natsConnection_GetMaxPayload(link_->connection());
    return {link_->name(), version_in_info(info), text_in_info(info, "cluster"), static_cast<std::uint64_t>(payload)};
}

BrokerAccount BrokerProbe::account() const {
    const AccountInfo info = require_jetstream(*link_);
    const jsAccountLimits& limits = info->Limits;
    return {static_cast<std::int64_t>(info->Store),
            limits.MaxStore,
            limits.StoreMaxStreamBytes > 0 ? limits.StoreMaxStreamBytes : -1,
            limits.MaxBytesRequired,
            info->Streams,
            limits.MaxStreams,
            info->Consumers,
            limits.MaxConsumers};
}

std::optional<BrokerRefusal> BrokerProbe::refusal(const BrokerRight& right) const {
    require_harmless(right.subject);
    return refusal_of(right, no_request);
}

std::optional<BrokerRefusal> BrokerProbe::purge_refusal(const BrokerRight& right) const {
    return refusal_of(right, no_purge);
}

// The server says that it denies something apart from the request, which gets no answer; but before it answers the
// ping that follows. What it does not deny may go unanswered, too: a read of a bucket that is not there.
std::optional<BrokerRefusal> BrokerProbe::refusal_of(const BrokerRight& right, const char* request) const {
    for (std::int64_t wait_ms = first_wait_ms; wait_ms <= last_wait_ms; wait_ms *= 2) {
        if (is_answered(*link_, right.subject, request, wait_ms)) return std::nullopt;
        link_->require_open();
        if (natsConnection_FlushTimeout(link_->connection(), link_->options().request_timeout_ms) != NATS_OK)
            throw retry_error(
                fmt::format("unable to ask NATS at '{}' what the user may do: it does not answer", link_->name()));
        const auto denial = link_->denial_of(right.subject);
        if (denial && !denial->publish) return BrokerRefusal{true, denied(right.doing, *denial)};
        if (denial) return BrokerRefusal{false, denied(right.doing, Denial{true, right.pattern})};
    }
    return std::nullopt;
}

std::string BrokerProbe::api_subject(const std::string& call) const {
    return fmt::format("$JS.{}API.{}", domain_part(*link_), call);
}

// As nats.c sends it to a domain.
std::string BrokerProbe::key_subject(const Names& names, const std::string& key) const {
    const std::string subject = fmt::format("$KV.{}.{}", names.bucket, key);
    return link_->options().js_domain.empty() ? subject : api_subject(subject);
}

bool BrokerProbe::stream_exists(const std::string& stream) const { return link_->stream_info(stream) != nullptr; }

std::vector<Error> BrokerProbe::stream_faults(const Names& names, const StreamConfig& config) const {
    std::vector<Error> faults;
    const auto add = [&](const std::function<void()>& look) {
        try {
            look();
        } catch (const Error& error) {
            faults.push_back(error);
        }
    };
    add([&] { check_account(*link_, require_jetstream(*link_)->Limits.MaxStore, names, config); });
    const auto info = link_->stream_info(names.stream);
    if (info) std::ranges::move(config_faults(*info->Config, names), std::back_inserter(faults));
    const std::string greeting = ask_server_info(link_->connection());
    const bool clustered = greeting.empty() || !text_in_info(greeting, "cluster").empty();
    add([&] { check_replicas(*link_, names.stream, clustered, config); });
    return faults;
}

std::string BrokerProbe::stream_of_subjects(const Names& names) const {
    for (const auto& subject : {names.snapshot_subject, names.changes_subject}) {
        jsOptions options;
        jsOptions_Init(&options);
        options.Stream.Info.SubjectsFilter = subject.c_str();
        jsStreamNamesList* made = nullptr;
        jsErrCode js_error{};
        const auto status = js_StreamNames(&made, link_->js(), &options, &js_error);
        const std::unique_ptr<jsStreamNamesList, NamesDestroyer> list(made);
        if (status == NATS_NOT_FOUND) continue;
        link_->check(status, "list the streams", "STREAM.NAMES", js_error);
        for (int i = 0; i < list->Count; ++i)
            if (names.stream != list->List[i]) return list->List[i];
    }
    return {};
}

}  // namespace pgsluice
