#include "stream/nats/handle.h"

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

std::string last_error(natsStatus status) {
    natsStatus last = NATS_OK;
    const char* text = nats_GetLastError(&last);
    if (last == status && text != nullptr && *text != '\0') return text;
    return natsStatus_GetText(status);
}

Error error(std::string_view doing, natsStatus status, int js_error) {
    const auto message = fmt::format("unable to {}: {}", doing, last_error(status));
    if (connection_failed(status) || cluster_failed(js_error)) return retry_error(message);
    switch (js_error) {
        case JSNotEnabledErr:
        case JSNotEnabledForAccountErr:
            return stop_error(message,
                              "start nats-server with JetStream (-js, or a jetstream block), for this account");
        case JSStreamReplicasNotSupportedErr:
        case JSClusterNoPeersErr:
        case JSClusterRequiredErr:
            return stop_error(message,
                              "--stream-replicas above 1 needs a NATS cluster with so many servers with JetStream");
        case JSAccountResourcesExceededErr:
        case JSInsufficientResourcesErr:
        case JSStorageResourcesExceededErr:
        case JSMaximumStreamsLimitErr:
            return stop_error(message,
                              "the NATS account or server gives JetStream no more: raise its limits (max_file_store in "
                              "nats-server's configuration) or lower --stream-max-bytes");
        default:
            return stop_error(message);
    }
}

}  // namespace pgsluice::nats
