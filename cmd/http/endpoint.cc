#include "cmd/http/endpoint.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "sql/error.h"
#include "stream/pause.h"

namespace pgsluice {

namespace {

constexpr std::chrono::seconds rhythm(1);
constexpr const char* metrics_type = "text/plain; version=0.0.4; charset=utf-8";

HttpRoutes routes_of(const View& view) {
    return {
        {"/metrics",
         [&view] {
             return HttpAnswer{200, metrics_type, view.metrics_text()};
         }},
        {"/status",
         [&view] {
             const std::string health = view.health_json();
             return health.empty() ? HttpAnswer{503, "application/json", "{\"error\":\"NATS does not say\"}\n"}
                                   : HttpAnswer{200, "application/json", health + '\n'};
         }},
        {"/healthz",
         [] {
             return HttpAnswer{200, "text/plain; charset=utf-8", "alive\n"};
         }},
        {"/readyz",
         [&view] {
             const std::string reason = view.not_ready();
             return reason.empty() ? HttpAnswer{200, "text/plain; charset=utf-8", view.ready_as() + '\n'}
                                   : HttpAnswer{503, "text/plain; charset=utf-8", "not ready: " + reason + '\n'};
         }},
    };
}

}  // namespace

Endpoint::Endpoint(const ListenAddress& address, const HttpOptions& options, std::unique_ptr<View> view,
                   BrokerOptions nats, Names names, Log log)
    : view_(std::move(view)),
      observer_(std::move(nats), std::move(names)),
      log_(std::move(log)),
      server_(address, options, routes_of(*view_), log_),
      thread_([this](const std::stop_token& stop) { watch(stop); }) {}

void Endpoint::watch(const std::stop_token& stop) {
    do {
        try {
            view_->look(observer_.look(stop));
        } catch (const Interrupted&) {
            return;
        } catch (const std::exception& error) {  // figures for people end nothing
            log_(LogLevel::warning, fmt::format("unable to update the metrics for now: {}", error.what()));
        }
    } while (pause(stop, rhythm));
}

}  // namespace pgsluice
