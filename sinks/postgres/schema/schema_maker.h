// Makes objects on the target, as the owner they are to have.
//
// What exists already is left as it is, so every step can be done again; an advisory lock lets one worker make objects
// at a time.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "sinks/options.h"
#include "sinks/postgres/origins.h"
#include "sinks/postgres/schema/schema_entry.h"
#include "sql/connection.h"
#include "stream/base/log.h"

namespace pgsluice {

class SchemaMaker {
   public:
    // `tell` is called several times a second while something takes its time, by the thread that waits.
    SchemaMaker(const PostgresSinkOptions& options, TargetOrigins& origins, const Log& log, std::stop_token stop,
                const std::function<void()>& tell)
        : options_(options), origins_(origins), log_(log), stop_(std::move(stop)), tell_(tell) {}

    sql::Connection connect_target();
    // Waits until no other worker makes objects there.
    void take_turns(sql::Connection& target);

    // One object, in a transaction of its own. An SqlError, also where it exists.
    void make(sql::Connection& target, const SchemaEntry& entry, const std::string& doing);
    // In any order that works; warns of what tables may do without.
    void make_all(sql::Connection& target, const std::vector<SchemaEntry>& entries);
    // In this order; warns of what needs something that is missing.
    void make_in_order(sql::Connection& target, const std::vector<SchemaEntry>& entries);
    // Each group in order, several groups at once, over --target-copy-workers connections.
    void make_groups(const std::vector<std::vector<SchemaEntry>>& groups);

   private:
    struct Failed {
        SchemaEntry entry;
        std::string reason;
    };
    // Entries that failed because something is missing, which may come, or that tables may do without.
    std::vector<Failed> try_all(sql::Connection& target, const std::vector<SchemaEntry>& entries);
    void warn(const std::vector<Failed>& failed);

    const PostgresSinkOptions& options_;
    TargetOrigins& origins_;
    const Log& log_;
    std::stop_token stop_;
    const std::function<void()>& tell_;
};

}  // namespace pgsluice
