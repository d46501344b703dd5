#include "cmd/http/endpoint.h"

#include <chrono>
#include <utility>

#include "cmd/page/routes.h"
#include "sql/error.h"
#include "stream/base/pause.h"

namespace pgsluice {

namespace {

constexpr std::chrono::seconds rhythm(1);

HttpRoutes routes_of(const View& view, const Board& board) {
    HttpRoutes routes{
        {"/metrics",
         [&view](const auto&) {
             return HttpAnswer{200, metrics_type, view.metrics_text()};
         }},
        {"/status",
         [&view](const auto&) {
             const std::string health = view.health_json();
             return health.empty() ? json(503, "{\"error\":\"NATS does not say\"}\n") : json(200, health + '\n');
         }},
        {"/healthz", [](const auto&) { return plain(200, "alive\n"); }},
        {"/readyz",
         [&view](const auto&) {
             const std::string reason = view.not_ready();
             return reason.empty() ? plain(200, view.ready_as() + '\n') : plain(503, "not ready: " + reason + '\n');
         }},
    };
    add_page(routes, board);
    return routes;
}

PageProcess process_of(const View& view, const HttpOptions& options) {
    PageProcess process;
    process.role = view.options().role;
    process.worker = view.options().worker;
    process.sink = view.options().sink;
    process.group = view.options().group;
    process.asks_for_token = !options.token.empty();
    process.not_ready = [&view] { return view.not_ready(); };
    process.tables = [&view] { return view.tables_json(); };
    if (!view.shows_rows()) return process;
    process.shows_rows = [] { return true; };
    process.rows = [&view](const std::string&) { return '[' + view.rows_json() + ']'; };
    return process;
}

void show(Board& board, const std::optional<StreamObservation>& seen) {
    if (seen && seen->health)
        board.note({*seen->health});
    else
        board.lose_sight();
}

}  // namespace

Endpoint::Endpoint(const ListenAddress& address, const HttpOptions& options, std::unique_ptr<View> view,
                   BrokerOptions nats, Names names, Log log)
    : view_(std::move(view)),
      board_(process_of(*view_, options)),
      observer_(std::move(nats), std::move(names)),
      log_(std::move(log)),
      server_(address, options, routes_of(*view_, board_), log_),
      thread_([this](const std::stop_token& stop) { watch(stop); }) {}

void Endpoint::watch(const std::stop_token& stop) {
    try {
        do {
            observer_.look(stop, log_, [this](std::optional<StreamObservation> seen) {
                show(board_, seen);
                view_->look(std::move(seen));
            });
        } while (pause(stop, rhythm));
    } catch (const Interrupted&) {
    }
}

}  // namespace pgsluice
