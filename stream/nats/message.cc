#include "stream/nats/message.h"

namespace pgsluice::nats {

Msg make_message(const std::string& subject, const char* reply, std::string_view body) {
    natsMsg* made = nullptr;
    check(natsMsg_Create(&made, subject.c_str(), reply, body.data(), static_cast<int>(body.size())),
          "create a message");
    return Msg(made);
}

ParsedHeaders parse_headers(natsMsg& msg, std::string_view stream, StreamSeq seq) {
    const auto find = [&msg](const char* name) {
        const char* text = nullptr;
        return natsMsgHeader_Get(&msg, name, &text) == NATS_OK ? text : nullptr;
    };
    try {
        return pgsluice::parse_headers(find, "a message");
    } catch (const Error& error) {
        throw Error(error.action(), fmt::format("{} (message {} of stream '{}')", error.what(), seq.value, stream),
                    error.hint());
    }
}

}  // namespace pgsluice::nats
