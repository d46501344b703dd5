// Compares, at a start, what was delivered with the files and flags of now, and does what follows from it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>

#include "rules/delivered.h"
#include "sinks/sink.h"
#include "stream/base/log.h"
#include "stream/group/delivered_rules.h"
#include "worker/rules/change.h"
#include "worker/session.h"
#include "worker/start/facts.h"

namespace pgsluice {

class DeliveredCheck {
   public:
    // `known`: the sink remembers something, or others of its name have delivered before it, so rows may be there.
    DeliveredCheck(const WorkerOptions& options, const Ruleset& ruleset, Sink& sink, Broker& broker, bool known,
                   const Log& log);
    DeliveredCheck(const DeliveredCheck&) = delete;
    DeliveredCheck& operator=(const DeliveredCheck&) = delete;

    // `tables` are those of the group, as far as known. May let the session start over with the snapshot, which is
    // returned, or throw a stop Error (change.h).
    bool run(SessionStart& start, WorkerFacts facts, std::span<const RelationPtr> tables, const std::stop_token& stop);

    // What the session goes on noting with.
    [[nodiscard]] Delivered& delivered() noexcept { return delivered_; }

   private:
    [[nodiscard]] Delivered::Notes load(bool known);
    void keep(const Delivered::Notes& notes);
    void deliver_again();
    void note_from_now_on(std::span<const RelationPtr> tables);
    [[nodiscard]] RulesChange change_of(const SessionStart& start, const WorkerFacts& facts,
                                        std::vector<ChangedTable> changed) const;

    const WorkerOptions& options_;
    Sink& sink_;
    Broker& broker_;
    const bool known_;
    const Log& log_;
    DeliveredRulesKeys keys_;
    bool in_sink_ = false;
    std::uint64_t reloads_ = 0;  // note_of_no_table
    Delivered delivered_;
};

}  // namespace pgsluice
