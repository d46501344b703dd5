#include "stream/nats/connection/handle.h"

namespace pgsluice::nats {

namespace {

bool connection_failed(natsStatus status) {
    switch (status) {
        case NATS_TIMEOUT:
        case NATS_CONNECTION_CLOSED:
        case NATS_CONNECTION_DISCONNECTED:
        case NATS_NO_SERVER:
        case NATS_NO_RESPONDERS:
        case NATS_STALE_CONNECTION:
        case NATS_IO_ERROR:
        case NATS_INSUFFICIENT_BUFFER:
        case NATS_DRAINING:
        case NATS_NOT_YET_CONNECTED:
            return true;
        default:
            return false;
    }
}

bool cluster_failed(int js_error) {
    return js_error == JSClusterNotAvailErr || js_error == JSClusterNotLeaderErr ||
           js_error == JSClusterIncompleteErr || js_error == JSClusterPeerNotMemberErr ||
           js_error == JSStreamOfflineErr || js_error == JSConsumerOfflineErr;
}

}  // namespace

std::string_view without_source_position(std::string_view text) {
    const auto end = text.find("): ");
    if (!text.starts_with('(') || end == std::string_view::npos) return text;
    const auto position = text.substr(1, end - 1);
    const auto colon = position.rfind(':');
    if (colon == std::string_view::npos || !position.substr(0, colon).ends_with(".c")) return text;
    return text.substr(end + 3);
}

std::string last_error(natsStatus status) {
    natsStatus last = NATS_OK;
    const char* text = nats_GetLastError(&last);
    const auto reason = last == status && text != nullptr ? without_source_position(text) : std::string_view();
    return reason.empty() ? natsStatus_GetText(status) : std::string(reason);
}

Error error(std::string_view doing, natsStatus status, int js_error) {
    const auto message = fmt::format("unable to {}: {}", doing, last_error(status));
    if (connection_failed(status) || cluster_failed(js_error)) return retry_error(message);
    switch (js_error) {
        case JSNotEnabledErr:
        case JSNotEnabledForAccountErr:
            return stop_error(message,
                              "Start nats-server with -js, or enable JetStream for this account in its configuration.");
        case JSStreamReplicasNotSupportedErr:
        case JSClusterNoPeersErr:
        case JSClusterRequiredErr:
            return stop_error(message,
                              "Lower --stream-replicas: it needs a NATS cluster with as many JetStream servers.");
        case JSAccountResourcesExceededErr:
        case JSInsufficientResourcesErr:
        case JSStorageResourcesExceededErr:
        case JSMaximumStreamsLimitErr:
            return stop_error(message,
                              "Raise the limits of the NATS account or server (max_file_store in nats-server's "
                              "configuration), or lower --stream-max-bytes.");
        default:
            return stop_error(message);
    }
}

}  // namespace pgsluice::nats
