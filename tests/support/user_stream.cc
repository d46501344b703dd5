#include "tests/support/user_stream.h"

#include <nats/nats.h>

#include <stdexcept>

namespace pgsluice::test {

namespace {

void check(natsStatus status) {
    if (status != NATS_OK) throw std::runtime_error(natsStatus_GetText(status));
}

}  // namespace

struct UserStream::State {
    template <typename Call>
    void apply(UserStreamLimits limits, const Call& call) const {
        jsStreamConfig config;
        check(jsStreamConfig_Init(&config));
        const char* subjects[] = {subject.c_str()};
        config.Name = name.c_str();
        config.Subjects = subjects;
        config.SubjectsLen = 1;
        config.Storage = js_MemoryStorage;
        config.Discard = js_DiscardNew;
        config.MaxBytes = limits.bytes;
        config.MaxMsgSize = limits.message_bytes;
        check(call(config));
    }

    std::string name;
    std::string subject;
    std::unique_ptr<natsConnection, void (*)(natsConnection*)> connection{nullptr, &natsConnection_Destroy};
    std::unique_ptr<jsCtx, void (*)(jsCtx*)> js{nullptr, &jsCtx_Destroy};
};

UserStream::UserStream(const std::string& url, const std::string& name, const std::string& subject,
                       UserStreamLimits limits)
    : state_(std::make_unique<State>()) {
    state_->name = name;
    state_->subject = subject;
    natsConnection* connection = nullptr;
    check(natsConnection_ConnectTo(&connection, url.c_str()));
    state_->connection.reset(connection);
    jsCtx* js = nullptr;
    check(natsConnection_JetStream(&js, connection, nullptr));
    state_->js.reset(js);
    state_->apply(limits, [&](jsStreamConfig& config) { return js_AddStream(nullptr, js, &config, nullptr, nullptr); });
}

void UserStream::limit(UserStreamLimits limits) const {
    state_->apply(limits, [&](jsStreamConfig& config) {
        return js_UpdateStream(nullptr, state_->js.get(), &config, nullptr, nullptr);
    });
}

UserStream::~UserStream() = default;

std::vector<StoredMessage> UserStream::read() const {
    jsStreamInfo* made = nullptr;
    check(js_GetStreamInfo(&made, state_->js.get(), state_->name.c_str(), nullptr, nullptr));
    const std::unique_ptr<jsStreamInfo, void (*)(jsStreamInfo*)> info(made, &jsStreamInfo_Destroy);
    std::vector<StoredMessage> messages;
    for (std::uint64_t seq = info->State.FirstSeq; seq != 0 && seq <= info->State.LastSeq; ++seq) {
        natsMsg* message = nullptr;
        check(js_GetMsg(&message, state_->js.get(), state_->name.c_str(), seq, nullptr, nullptr));
        const std::unique_ptr<natsMsg, void (*)(natsMsg*)> owner(message, &natsMsg_Destroy);
        const char* id = nullptr;
        if (natsMsgHeader_Get(message, "Nats-Msg-Id", &id) != NATS_OK) id = "";
        messages.push_back({natsMsg_GetSubject(message),
                            id,
                            {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))}});
    }
    return messages;
}

}  // namespace pgsluice::test
