#include "cmd/http/probe.h"

#include <fmt/format.h>
#ifndef CPPHTTPLIB_OPENSSL_SUPPORT
#define CPPHTTPLIB_OPENSSL_SUPPORT  // as pkg-config says; tools that look at single files do not ask it
#endif
#include <httplib.h>

#include "sql/error.h"

namespace pgsluice {

namespace {

constexpr int answer_within_s = 3;

ListenAddress reachable(ListenAddress address) {
    if (address.host == "0.0.0.0") address.host = "127.0.0.1";
    if (address.host == "::") address.host = "::1";
    return address;
}

}  // namespace

ProbeAnswer probe(const ListenAddress& address, bool tls, const std::string& path) {
    const std::string url = fmt::format("{}://{}", tls ? "https" : "http", to_string(reachable(address)));
    httplib::Client client(url);
    client.enable_server_certificate_verification(false);
    client.set_connection_timeout(answer_within_s);
    client.set_read_timeout(answer_within_s);
    const httplib::Result answer = client.Get(path);
    if (!answer)
        throw stop_error(
            fmt::format("unable to ask '{}{}': nothing answers there", url, path),
            "Give this command the same --http-listen, and --http-cert, as the process that it asks, and look at that "
            "process's log.");
    return {answer->status == 200, answer->body};
}

}  // namespace pgsluice
