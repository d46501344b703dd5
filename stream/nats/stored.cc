// Single messages of any stream.
#include <cstdlib>

#include "stream/broker.h"
#include "stream/nats/link.h"
#include "stream/nats/message.h"
#include "stream/nats/own_message.h"

namespace pgsluice {

using namespace nats;

std::optional<StoredMessage> Broker::stored_message(const std::string& stream, StreamSeq seq) {
    const auto msg = link_->message(stream, seq);
    if (!msg) return std::nullopt;
    StoredMessage stored{seq, std::string(body_of(*msg)), {}};
    const char** keys = nullptr;
    int count = 0;
    const auto status = natsMsgHeader_Keys(msg.get(), &keys, &count);
    const std::unique_ptr<const char*, decltype([](const char** owned) { std::free(owned); })> owner(keys);
    if (status == NATS_NOT_FOUND) return stored;
    check(status, "read a message's headers");
    for (int i = 0; i < count; ++i) {
        const char* value = nullptr;
        check(natsMsgHeader_Get(msg.get(), keys[i], &value), "read a message's headers");
        stored.headers.emplace_back(keys[i], value);
    }
    return stored;
}

std::optional<GroupMessage> Broker::group_message(const std::string& stream, StreamSeq seq) {
    std::string why;
    auto own = stored_own(*link_, stream, seq, &why);
    if (own) {
        const auto& headers = own->message.headers;
        return GroupMessage{
            {}, headers, own->message.follows, headers.part.last(), std::move(own->body), std::move(own->fault)};
    }
    if (!link_->message(stream, seq)) return std::nullopt;
    GroupMessage other;
    other.foreign = std::move(why);
    return other;
}

void Broker::erase_message(const std::string& stream, StreamSeq seq) {
    if (!link_->message(stream, seq)) return;
    jsErrCode js_error{};
    const auto status = js_EraseMsg(link_->js(), stream.c_str(), seq.value, nullptr, &js_error);
    link_->check(status, "erase message " + std::to_string(seq.value) + " of stream '" + stream + "'",
                 "MSG.DELETE." + stream, js_error);
}

}  // namespace pgsluice
