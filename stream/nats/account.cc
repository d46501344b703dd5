#include "stream/nats/account.h"

namespace pgsluice::nats {

AccountInfo require_jetstream(const Link& link) {
    jsAccountInfo* made = nullptr;
    jsErrCode js_error{};
    const auto status = js_GetAccountInfo(&made, link.js(), nullptr, &js_error);
    AccountInfo info(made);
    if (status == NATS_NO_RESPONDERS && !link.options().js_domain.empty()) {
        throw stop_error(fmt::format("unable to use NATS at '{}': no JetStream domain '{}' answers", link.name(),
                                     link.options().js_domain),
                         "Give the domain of the server that has JetStream (domain in its jetstream block) in "
                         "--nats-js-domain, or leave that out.");
    }
    if (status == NATS_NO_RESPONDERS || js_error == JSNotEnabledErr || js_error == JSNotEnabledForAccountErr) {
        throw stop_error(
            fmt::format("unable to use NATS at '{}': JetStream is not enabled for this account", link.name()),
            "Start it with `nats-server -js`, or enable JetStream for the account in its configuration.");
    }
    link.check(status, fmt::format("ask NATS at '{}' about JetStream", link.name()), "API.INFO", js_error);
    return info;
}

}  // namespace pgsluice::nats
