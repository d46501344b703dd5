// A worker's options; those of its sink are in sinks/options.h.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "rules/on_rules_change.h"
#include "rules/ruleset.h"
#include "sql/lsn.h"
#include "stream/broker.h"
#include "stream/names.h"
#include "stream/share/share.h"
#include "stream/trouble.h"
#include "stream/waits.h"
#include "worker/shown_rows.h"

namespace pgsluice {

struct WorkerMetrics;
std::shared_ptr<WorkerMetrics> new_worker_metrics();

struct WorkerOptions {
    BrokerOptions nats;
    std::shared_ptr<const Waits> waits;                             // of this process, for what it reports; may be null
    std::shared_ptr<Trouble> trouble;                               // the same for what ended its sessions
    std::shared_ptr<WorkerMetrics> metrics = new_worker_metrics();  // of this process; never null
    Names names;                                                    // of the group
    std::string worker;  // its name in the registry and in the sink's progress; default: the sink's kind
    Share share{};       // of the rows; part of `worker`, too
    std::string sink;    // the sink's kind, for the registry
    RulesOptions rules;
    OnRulesChange on_rules_change = OnRulesChange::stop;
    bool makes_tables = false;                  // the sink makes them from the source's definitions
    bool direct_snapshot = false;               // the sink may read a snapshot's rows from the source
    std::size_t batch_size = 1000;              // changes per flush at most; several small transactions share a batch
    std::size_t batch_bytes = 8 * 1024 * 1024;  // and bytes
    bool exit_after_snapshot = false;
    std::optional<Lsn> exit_at_lsn;  // exit 0 once everything committed before it is applied
    // At a signal, how long to apply what the stream held then; 0: end at once.
    int drain_timeout_ms = 5000;
    int registry_interval_ms = 1000;  // how often the worker reports to the KV registry
    ShowRows show_rows = ShowRows::off;
    std::shared_ptr<ShownRows> shown_rows;  // of this process; null: none are shown
};

}  // namespace pgsluice
