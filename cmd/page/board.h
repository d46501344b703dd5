// What the page shows of groups: how each is now, and how it was in the last hour. Written by the thread that looks,
// read by the server's.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "cmd/page/health_history.h"
#include "stream/health/group_health.h"

namespace pgsluice {

// The process that serves the page.
struct PageProcess {
    std::string role;  // "replicator", "worker", "serve"
    std::string worker;
    std::string sink;
    std::string group;  // shown where none is asked for; empty: the first
    bool asks_for_token = false;
    std::function<std::string()> not_ready;  // why; empty when it is
    std::function<std::string()> tables;     // fields of a JSON object: "snapshot" and "tables" of this process
    // Whether a worker of this process shows rows that pass (--http-show-rows); and those of a group's workers here, as
    // a JSON array with an object for each. Both or none.
    std::function<bool()> shows_rows;
    std::function<std::string(const std::string& group)> rows;
};

class Board {
   public:
    explicit Board(PageProcess process) : process_(std::move(process)) {}

    // Now these are the groups, and how they are. A group that is not among them has gone.
    void note(const std::vector<GroupHealth>& groups);
    // NATS does not say how they are.
    void lose_sight();

    // What the page asks for every two seconds, as JSON. A group that is not known is the default one.
    [[nodiscard]] std::string live(const std::string& group) const;
    [[nodiscard]] std::string history(const std::string& group) const;
    // An empty array where none are shown.
    [[nodiscard]] std::string rows(const std::string& group) const;
    // As `pgsluice status --json` shows it; nothing when it is not known.
    [[nodiscard]] std::optional<std::string> status(const std::string& group) const;
    // An array of all; nothing while NATS does not say.
    [[nodiscard]] std::optional<std::string> all_status() const;

   private:
    struct Known {
        GroupHealth health;
        HealthHistory history;
    };
    using Groups = std::map<std::string, Known>;

    [[nodiscard]] Groups::iterator chosen(const std::string& group) const;
    [[nodiscard]] std::string process_json() const;
    [[nodiscard]] std::string overview() const;

    const PageProcess process_;
    mutable std::mutex mutex_;  // guards all below
    mutable Groups groups_;     // reading a history brings it to the present
    bool in_sight_ = false;
};

}  // namespace pgsluice
