#include "stream/nats/connection/shared_wires.h"

namespace pgsluice {

std::shared_ptr<nats::SharedWires> share_connections() { return std::make_shared<nats::SharedWires>(); }

namespace nats {

SharedWires::Way SharedWires::way_of(const BrokerOptions& options) {
    return {options.url,           options.credentials_file, options.nkey_file, options.tls_ca_file,
            options.tls_cert_file, options.tls_key_file,     options.tls_first, options.inbox_prefix};
}

std::shared_ptr<Wire> SharedWires::take(const BrokerOptions& options, const std::stop_token& stop) {
    const Way way = way_of(options);
    if (auto found = find(way)) return found;
    return keep(way, std::make_shared<Wire>(options, silent_log, stop));
}

std::shared_ptr<Wire> SharedWires::find(const Way& way) {
    const std::lock_guard lock(mutex_);
    auto found = wires_[way].lock();
    return found && found->open() ? found : nullptr;
}

std::shared_ptr<Wire> SharedWires::keep(const Way& way, const std::shared_ptr<Wire>& made) {
    if (auto found = find(way)) return found;
    const std::lock_guard lock(mutex_);
    wires_[way] = made;
    return made;
}

}  // namespace nats
}  // namespace pgsluice
