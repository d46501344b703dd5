#include "replicator/tables/monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "replicator/source/publication.h"
#include "replicator/source/session.h"
#include "sql/error.h"
#include "sql/quote.h"
#include "stream/base/pause.h"
#include "stream/base/test_setting.h"

namespace pgsluice {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

TableMonitor::TableMonitor(const ReplicatorOptions& options, const WantedTables& wanted,
                           std::map<Oid, TableRecord> record, std::string publication, Log log)
    : options_(options),
      interval_(test_setting("PGSLUICE_TABLE_CHECK_MS", options.table_check_interval_ms)),
      wanted_(wanted),
      publication_(std::move(publication)),
      log_(std::move(log)),
      record_(std::move(record)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void TableMonitor::look_now() {
    {
        const std::lock_guard lock(mutex_);
        asked_ = true;
    }
    wake_.notify_one();
}

void TableMonitor::update(std::map<Oid, TableRecord> record) {
    const std::lock_guard lock(mutex_);
    record_ = std::move(record);
    ++version_;
    differs_ = false;
}

// At once: tables may have been altered since the session read them, and workers check their rules against what the
// group says of them. A source that does not answer fails the replicator itself, too, and is reported there.
void TableMonitor::run(const std::stop_token& stop) {
    do {
        try {
            look_on(stop);
        } catch (const Interrupted&) {
            return;
        } catch (const std::exception& error) {
            log_(LogLevel::debug, fmt::format("unable to check the group's tables for now: {}", error.what()));
        }
    } while (pause(stop, interval_));
}

void TableMonitor::look_on(const std::stop_token& stop) {
    sql::Connection source = connect_source(options_.source, stop);
    while (!stop.stop_requested()) {
        const auto begun = Clock::now();
        look(source);
        // However many tables there are, looking takes a small part of the time.
        const auto rest = std::max<Clock::duration>(interval_, 50 * (Clock::now() - begun));
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, stop, rest, [this] { return asked_; });
        asked_ = false;
    }
}

void TableMonitor::look(sql::Connection& source) {
    std::map<Oid, TableRecord> record;
    std::uint64_t version = 0;
    {
        const std::lock_guard lock(mutex_);
        record = record_;
        version = version_;
    }
    altered_ = publication_version(source, options_.names.publication) != publication_;
    const auto tables = wanted_.resolve_present(source, log_);
    bool differs = false;
    for (const Finding& finding : wanted_.reconcile_with(source, record, tables)) {
        if (finding.refused) {
            wanted_.say_once(log_, finding.level, finding.text);
        } else {
            differs = true;
        }
    }
    for (const sql::CatalogTable& other : others_published(source, options_.names.publication, tables))
        wanted_.say_once(log_, LogLevel::warning,
                         fmt::format("table '{0}.{1}' is in publication '{2}' but not one of the group's tables: its "
                                     "changes are left out. Add it to --tables, and its rows are copied, too, or run "
                                     "ALTER PUBLICATION {3} DROP TABLE ONLY {4}",
                                     other.schema, other.name, options_.names.publication,
                                     sql::quote_identifier(options_.names.publication),
                                     sql::quote_qualified(other.schema, other.name)));
    const std::lock_guard lock(mutex_);
    if (version == version_) differs_ = differs;
}

}  // namespace pgsluice
