#include "cmd/page/board.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "stream/format/json_writer.h"

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;

void append(JsonText& out, std::string_view name, const std::optional<double>& value) {
    out.key(name);
    out.raw(value ? fmt::format("{:.3f}", *value) : "null");
}

// Of the worker that has the most of it.
std::optional<double> highest(const GroupHealth& health, std::optional<double> WorkerHealth::*figure) {
    std::optional<double> most;
    for (const WorkerHealth& worker : health.workers)
        if (worker.*figure) most = std::max(most.value_or(0), *(worker.*figure));
    return most;
}

}  // namespace

void Board::note(const std::vector<GroupHealth>& groups) {
    const std::lock_guard lock(mutex_);
    std::set<std::string> there;
    for (const GroupHealth& health : groups) {
        there.insert(health.group);
        Known& known = groups_[health.group];
        known.health = health;
        known.history.note(health, Clock::now());
    }
    std::erase_if(groups_, [&](const auto& group) { return !there.contains(group.first); });
    in_sight_ = true;
}

void Board::lose_sight() {
    const std::lock_guard lock(mutex_);
    in_sight_ = false;
}

Board::Groups::iterator Board::chosen(const std::string& group) const {
    for (const std::string& name : {group, process_.group})
        if (const auto found = groups_.find(name); found != groups_.end()) return found;
    return groups_.begin();
}

std::string Board::process_json() const {
    JsonText out;
    out.raw('{');
    out.text("role", process_.role);
    out.text("worker", process_.worker);
    out.text("sink", process_.sink);
    out.text("version", PGSLUICE_VERSION);
    out.boolean("asks_for_token", process_.asks_for_token);
    out.boolean("shows_rows", process_.shows_rows && process_.shows_rows());
    out.text("not_ready", process_.not_ready ? process_.not_ready() : "");
    out.raw('}');
    return std::string(out.view());
}

std::string Board::overview() const {
    JsonText out;
    out.raw('[');
    for (const auto& [name, known] : groups_) {
        if (name != groups_.begin()->first) out.raw(',');
        out.raw('{');
        out.text("group", name);
        out.text("health", to_text(level_of(known.health)));
        out.text("state", to_text(known.health.replicator.state));
        out.number("workers", known.health.workers.size());
        append(out, "behind_seconds", highest(known.health, &WorkerHealth::behind_seconds));
        append(out, "changes_per_second", highest(known.health, &WorkerHealth::changes_per_second));
        out.raw('}');
    }
    out.raw(']');
    return std::string(out.view());
}

std::string Board::live(const std::string& group) const {
    const std::string process = process_json();
    const std::string tables = process_.tables ? process_.tables() : R"("snapshot":[],"tables":[])";
    const std::lock_guard lock(mutex_);
    const auto shown = chosen(group);
    const bool known = in_sight_ && shown != groups_.end();
    JsonText out;
    out.raw('{');
    out.text("group", shown != groups_.end() ? shown->first : process_.group);
    out.boolean("in_sight", in_sight_);
    out.raw(fmt::format(R"(,"groups":{},"process":{},"status":{},{}}})", overview(), process,
                        known ? to_json(shown->second.health) : "null", tables));
    return std::string(out.view());
}

std::string Board::history(const std::string& group) const {
    const std::lock_guard lock(mutex_);
    const auto shown = chosen(group);
    return shown == groups_.end() ? HealthHistory().json(Clock::now()) : shown->second.history.json(Clock::now());
}

std::string Board::rows(const std::string& group) const { return process_.rows ? process_.rows(group) : "[]"; }

std::optional<std::string> Board::status(const std::string& group) const {
    const std::lock_guard lock(mutex_);
    const auto found = groups_.find(group);
    return !in_sight_ || found == groups_.end() ? std::nullopt : std::optional(to_json(found->second.health));
}

std::optional<std::string> Board::all_status() const {
    const std::lock_guard lock(mutex_);
    if (!in_sight_) return std::nullopt;
    std::string all;
    for (const auto& [name, known] : groups_) all += (all.empty() ? "" : ",") + to_json(known.health);
    return '[' + all + ']';
}

}  // namespace pgsluice
