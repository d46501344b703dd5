#include "cmd/serve/serve.h"

#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cmd/http/server.h"
#include "cmd/page/routes.h"
#include "cmd/status/groups.h"
#include "sql/error.h"
#include "stream/base/pause.h"
#include "stream/health/gather.h"

namespace pgsluice {

namespace {

constexpr std::chrono::seconds rhythm(2);

// Asks NATS for every group, over connections of its own.
class Watch {
   public:
    Watch(const Settings& settings, Log log)
        : nats_(settings.nats), thresholds_(settings.status.thresholds), log_(std::move(log)) {
        nats_.request_timeout_ms = 5000;
    }

    // Each group, judged. Nothing while NATS does not answer.
    std::optional<std::vector<GroupHealth>> look(const std::stop_token& stop) {
        try {
            if (!catalog_) connect(stop);
            auto found = ask();
            if (std::exchange(silent_, false)) log_(LogLevel::info, "NATS answers again");
            return found;
        } catch (const Error& error) {
            if (error.action() != Action::retry) throw;
            if (!std::exchange(silent_, true)) log_(LogLevel::warning, error.what());
            catalog_.reset();
            broker_.reset();
            return std::nullopt;
        }
    }

   private:
    void connect(const std::stop_token& stop) {
        broker_ = Broker::connect(nats_, silent_log, stop);
        catalog_.emplace(nats_, silent_log, stop);
    }

    std::vector<GroupHealth> ask() {
        std::vector<GroupHealth> all;
        for (const std::string& group : groups_in(*catalog_)) {
            all.push_back(gather_health(*broker_, names_for(group), thresholds_));
            judge(all.back(), thresholds_);
        }
        return all;
    }

    BrokerOptions nats_;
    const HealthThresholds thresholds_;
    const Log log_;
    std::unique_ptr<Broker> broker_;
    std::optional<StreamCatalog> catalog_;
    bool silent_ = false;
};

HttpRoutes routes_of(const Board& board, const std::atomic<bool>& answers) {
    HttpRoutes routes{
        {"/healthz", [](const auto&) { return plain(200, "alive\n"); }},
        {"/readyz",
         [&answers](const auto&) {
             return answers ? plain(200, "ready\n") : plain(503, "not ready: NATS does not answer\n");
         }},
        {"/status",
         [&board](const auto& asked) {
             const std::string group = value_of(asked, "group");
             const auto status = group.empty() ? board.all_status() : board.status(group);
             return status ? json(200, *status + '\n') : json(404, "{\"error\":\"no such group is known\"}\n");
         }},
    };
    add_page(routes, board);
    return routes;
}

}  // namespace

ExitCode run_serve(Settings settings, const Log& log, std::stop_token stop) {
    PageProcess process;
    process.role = "serve";
    process.asks_for_token = !settings.http.token.empty();
    Board board(std::move(process));
    std::atomic<bool> answers = false;
    Watch watch(settings, log);
    const HttpServer server(*settings.http_listen, settings.http, routes_of(board, answers), log);
    do {
        const auto groups = watch.look(stop);
        answers = groups.has_value();
        groups ? board.note(*groups) : board.lose_sight();
    } while (pause(stop, rhythm));
    return exit_done;
}

}  // namespace pgsluice
