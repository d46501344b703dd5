#include "tests/support/forged_delivery.h"

#include <nats/nats.h>

#include <atomic>
#include <stdexcept>
#include <string_view>

namespace pgsluice::test {

namespace {

void check(natsStatus status) {
    if (status != NATS_OK) throw std::runtime_error(natsStatus_GetText(status));
}

// Where a request to make a consumer wants its messages; empty when it does not say.
std::string deliver_subject(std::string_view request) {
    constexpr std::string_view key = "\"deliver_subject\":\"";
    const auto at = request.find(key);
    if (at == std::string_view::npos) return {};
    request.remove_prefix(at + key.size());
    return std::string(request.substr(0, request.find('"')));
}

}  // namespace

struct ForgedDelivery::State {
    // In the subscription's thread.
    static void on_request(natsConnection* connection, natsSubscription*, natsMsg* msg, void* closure) {
        auto& state = *static_cast<State*>(closure);
        const std::string to =
            deliver_subject({natsMsg_GetData(msg), static_cast<std::size_t>(natsMsg_GetDataLength(msg))});
        natsMsg_Destroy(msg);
        if (to.empty() || state.sent) return;
        if (natsConnection_PublishRequestString(connection, to.c_str(), state.reply.c_str(), "forged") == NATS_OK &&
            natsConnection_Flush(connection) == NATS_OK) {
            state.sent = true;
        }
    }

    std::string reply;
    std::atomic<bool> sent{false};
    std::unique_ptr<natsConnection, void (*)(natsConnection*)> connection{nullptr, &natsConnection_Destroy};
    std::unique_ptr<natsSubscription, void (*)(natsSubscription*)> subscription{nullptr, &natsSubscription_Destroy};
};

ForgedDelivery::ForgedDelivery(const std::string& url, const std::string& stream, std::uint64_t number,
                               std::uint64_t seq)
    : state_(std::make_unique<State>()) {
    state_->reply = "$JS.ACK." + stream + ".forged.1." + std::to_string(seq) + '.' + std::to_string(number) +
                    ".1700000000000000000.0";
    natsConnection* connection = nullptr;
    check(natsConnection_ConnectTo(&connection, url.c_str()));
    state_->connection.reset(connection);
    natsSubscription* subscription = nullptr;
    check(natsConnection_Subscribe(&subscription, connection, ("$JS.API.CONSUMER.CREATE." + stream).c_str(),
                                   &State::on_request, state_.get()));
    state_->subscription.reset(subscription);
    check(natsConnection_Flush(connection));
}

ForgedDelivery::~ForgedDelivery() = default;

bool ForgedDelivery::sent() const { return state_->sent; }

}  // namespace pgsluice::test
