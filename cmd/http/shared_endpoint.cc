#include "cmd/http/shared_endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "cmd/page/routes.h"
#include "sql/error.h"
#include "stream/base/pause.h"

namespace pgsluice {

namespace {

// Each look costs NATS a few requests.
std::chrono::milliseconds rhythm_of(std::size_t parts) {
    return std::chrono::milliseconds(std::clamp<std::size_t>(parts * 50, 1000, 10000));
}

}  // namespace

SharedEndpoint::SharedEndpoint(const ListenAddress& address, const HttpOptions& options, Log log)
    : log_(std::move(log)),
      board_(page(options)),
      server_(address, options, routes(), log_),
      thread_([this](const std::stop_token& stop) { watch(stop); }) {}

void SharedEndpoint::add(const std::string& name, std::unique_ptr<View> view, const BrokerOptions& nats,
                         const Names& names) {
    const std::lock_guard lock(mutex_);
    parts_[name] = {std::move(view), std::make_shared<StreamObserver>(nats, names), ""};
}

void SharedEndpoint::stopped(const std::string& name, const std::string& why) {
    const std::lock_guard lock(mutex_);
    parts_[name].stopped = why;
}

std::map<std::string, SharedEndpoint::Observed> SharedEndpoint::all() const {
    const std::lock_guard lock(mutex_);
    return parts_;
}

HttpRoutes SharedEndpoint::routes() const {
    HttpRoutes routes{{"/metrics", [this](const auto&) { return metrics(); }},
                      {"/status", [this](const auto& asked) { return status(value_of(asked, "group")); }},
                      {"/healthz", [](const auto&) { return plain(200, "alive\n"); }},
                      {"/readyz", [this](const auto&) { return readiness(); }}};
    add_page(routes, board_);
    return routes;
}

PageProcess SharedEndpoint::page(const HttpOptions& options) const {
    PageProcess process;
    process.role = "run";
    process.asks_for_token = !options.token.empty();
    process.not_ready = [this] { return not_ready(); };
    process.shows_rows = [this] {
        return std::ranges::any_of(all(),
                                   [](const auto& each) { return each.second.view && each.second.view->shows_rows(); });
    };
    process.rows = [this](const std::string& group) { return rows(group); };
    return process;
}

std::string SharedEndpoint::rows(const std::string& group) const {
    std::string shown;
    for (const auto& [name, part] : all())
        if (part.view && part.view->shows_rows() && part.view->options().group == group)
            shown += (shown.empty() ? "" : ",") + part.view->rows_json();
    return '[' + shown + ']';
}

HttpAnswer SharedEndpoint::metrics() const {
    const auto parts = all();
    Samples samples;
    for (const auto& [name, part] : parts)
        if (part.view) part.view->add_to(samples);
    return {200, metrics_type, samples.text()};
}

// One line for each group, or for the one that is asked for.
HttpAnswer SharedEndpoint::status(const std::string& group) const {
    std::map<std::string, std::string> lines;
    for (const auto& [name, part] : all())
        if (part.view && (group.empty() || part.view->options().group == group)) {
            std::string& line = lines[part.view->options().group];
            if (line.empty()) line = part.view->health_json();
        }
    if (lines.empty() && !group.empty()) return json(404, "{\"error\":\"no such group is known\"}\n");
    std::string body;
    for (const auto& [name, line] : lines)
        body +=
            (line.empty() ? fmt::format("{{\"group\":\"{}\",\"error\":\"NATS does not say\"}}", name) : line) + '\n';
    return json(200, std::move(body));
}

std::string SharedEndpoint::not_ready() const {
    std::string lines;
    for (const auto& [name, part] : all()) {
        const std::string reason = !part.stopped.empty() ? "stopped: " + part.stopped
                                   : part.view           ? part.view->not_ready()
                                                         : "starting";
        if (!reason.empty()) lines += fmt::format("{}: {}\n", name, reason);
    }
    return lines;
}

HttpAnswer SharedEndpoint::readiness() const {
    const std::string lines = not_ready();
    return lines.empty() ? plain(200, "ready\n") : plain(503, "not ready:\n" + lines);
}

std::optional<GroupHealth> SharedEndpoint::look(const Observed& one, const std::stop_token& stop) {
    std::optional<GroupHealth> health;
    if (!one.view) return health;
    one.observer->look(stop, log_, [&](std::optional<StreamObservation> seen) {
        auto found = seen ? seen->health : std::nullopt;
        one.view->look(std::move(seen));
        health = std::move(found);
    });
    return health;
}

void SharedEndpoint::look_at_all(const std::map<std::string, Observed>& parts, const std::stop_token& stop) {
    std::map<std::string, GroupHealth> groups;
    for (const auto& [name, part] : parts)
        if (auto health = look(part, stop)) groups.insert_or_assign(part.view->options().group, std::move(*health));
    if (groups.empty()) return board_.lose_sight();
    std::vector<GroupHealth> all;
    for (auto& [name, health] : groups) all.push_back(std::move(health));
    board_.note(all);
}

void SharedEndpoint::watch(const std::stop_token& stop) {
    std::size_t looked = 0;
    try {
        do {
            const auto parts = all();
            looked = parts.size();
            look_at_all(parts, stop);
        } while (pause(stop, rhythm_of(looked)));
    } catch (const Interrupted&) {
    }
}

}  // namespace pgsluice
