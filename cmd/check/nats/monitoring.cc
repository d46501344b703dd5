#include "cmd/check/nats/monitoring.h"

#include <fmt/format.h>
#include <httplib.h>

#include <chrono>

#include "sql/error.h"

namespace pgsluice {

namespace {

constexpr int patience_s = 3;

double epoch_seconds() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string why_not(const httplib::Result& result) {
    return result ? fmt::format("it answers with status {}", result->status) : httplib::to_string(result.error());
}

}  // namespace

MonitoringLook look_at_monitoring(const std::string& url) {
    const auto refused = [&](const std::string& why) {
        return stop_error(fmt::format("unable to read nats-server's monitoring at '{}': {}", url, why),
                          "Set http_port in nats-server's configuration (nats-server -m 8222), and give "
                          "http://HOST:PORT in --nats-monitoring-url.");
    };
    if (!url.starts_with("http://") && !url.starts_with("https://")) throw refused("it is no http:// URL");
    httplib::Client client(url);
    client.set_connection_timeout(patience_s);
    client.set_read_timeout(patience_s);
    const double before = epoch_seconds();
    const auto result = client.Get("/varz");
    const double after = epoch_seconds();
    if (!result || result->status != 200) throw refused(why_not(result));
    return {parse_server_figures(result->body), (before + after) / 2};
}

}  // namespace pgsluice
