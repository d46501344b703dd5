#include "stream/nats/message.h"

namespace pgsluice::nats {

Msg make_message(const std::string& subject, const char* reply, std::string_view body) {
    natsMsg* made = nullptr;
    check(natsMsg_Create(&made, subject.c_str(), reply, body.data(), static_cast<int>(body.size())),
          "create a message");
    return Msg(made);
}

}  // namespace pgsluice::nats
