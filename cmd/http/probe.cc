#include "cmd/http/probe.h"

#include <fmt/format.h>
#include <httplib.h>

#include "sql/error.h"

namespace pgsluice {

namespace {

constexpr int patience_s = 3;

ListenAddress reachable(ListenAddress address) {
    if (address.host == "0.0.0.0") address.host = "127.0.0.1";
    if (address.host == "::") address.host = "::1";
    return address;
}

}  // namespace

ProbeAnswer probe(const ListenAddress& address, const std::string& path) {
    const ListenAddress asked = reachable(address);
    httplib::Client client(asked.host, asked.port);
    client.set_connection_timeout(patience_s);
    client.set_read_timeout(patience_s);
    const httplib::Result answer = client.Get(path);
    if (!answer)
        throw stop_error(
            fmt::format("unable to ask 'http://{}{}': nothing answers there", to_string(asked), path),
            "Give this command the same --http-listen as the process that it asks, and look at that process's log.");
    return {answer->status == 200, answer->body};
}

}  // namespace pgsluice
