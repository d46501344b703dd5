#include "stream/health/gather.h"

#include <simdjson.h>

#include <algorithm>

#include "sql/timestamp.h"
#include "stream/group/bootstrap_record.h"
#include "stream/group/lease.h"
#include "stream/group/registry.h"
#include "stream/group/source_rules.h"
#include "stream/health/replicator_entry.h"

namespace pgsluice {

namespace {

bool earlier(const Checkpoint& a, const Checkpoint& b) { return a.resume_seq < b.resume_seq; }

class Gathering {
   public:
    Gathering(Broker& broker, const Names& names, const HealthThresholds& thresholds)
        : broker_(broker), names_(names), thresholds_(thresholds) {
        health_.group = names.group;
        health_.at_us = sql::postgres_time_us();
    }

    GroupHealth all() {
        stream();
        const auto letters = broker_.stream_state(names_.dead_letters);
        if (letters) health_.dead_letters = {letters->messages, letters->bytes};
        bootstrap();
        if (!broker_.stream_state("KV_" + names_.bucket)) return std::move(health_);
        snapshot();
        health_.rules_at_source = find_source_rules(broker_, names_).has_value();
        replicator();
        standby();
        workers();
        return std::move(health_);
    }

   private:
    void stream() {
        StreamHealth& out = health_.stream;
        out.name = names_.stream;
        const auto state = broker_.stream_state(names_.stream);
        if (!state) return;
        out.exists = true;
        out.messages = state->messages;
        out.bytes = state->bytes;
        out.max_bytes = state->max_bytes;
        out.first_seq = state->first_seq;
        out.last_seq = state->last_seq;
        out.oldest_age = oldest_age(*state);
        const auto last = broker_.last_message(names_.stream);
        if (!last) return;
        last_position_ = last->meta.position;
        health_.replicator.published = last->meta.safe_flush_lsn;
    }

    void snapshot() {
        const auto value = broker_.kv_get(names_, "snapshot");
        if (!value) return;
        simdjson::dom::parser parser;
        simdjson::dom::element json;
        SnapshotHealth out;
        if (parser.parse(value->text).get(json) != simdjson::SUCCESS) return;
        const bool readable =
            json["epoch"].get(out.epoch) == simdjson::SUCCESS && json["tables"].get(out.tables) == simdjson::SUCCESS &&
            json["tables_done"].get(out.tables_done) == simdjson::SUCCESS &&
            json["rows"].get(out.rows) == simdjson::SUCCESS && json["share"].get(out.share) == simdjson::SUCCESS &&
            json["complete"].get(out.complete) == simdjson::SUCCESS;
        if (!readable) return;  // another program's
        double left = 0;
        if (json["seconds_left"].get(left) == simdjson::SUCCESS) out.seconds_left = left;
        health_.snapshot = out;
    }

    void bootstrap() {
        const auto record = find_bootstrap(broker_, names_);
        if (!record || record->state == BootstrapState::superseded) return;
        health_.bootstrap = {std::string(to_string(record->state)), record->point, record->snapshot, std::nullopt};
        if (record->since_us != 0) health_.bootstrap->since = age(record->since_us);
    }

    void replicator() {
        const auto entry = find_replicator(broker_, names_);
        if (!entry) return;
        ReplicatorHealth& out = health_.replicator;
        out.report_age = age(entry->reported_us);
        out.waiting = entry->ended ? "" : entry->waiting;
        if (!entry->last_error.empty()) {
            out.last_error = entry->last_error;
            out.last_error_age = age(entry->last_error_us);
        }
        out.failed = entry->failed;
        out.finished = entry->finished;
        out.state = state_of(*entry, *out.report_age);
        if (!entry->ended && out.state != PartState::dead && entry->changes_per_second)
            out.changes_per_second = static_cast<double>(*entry->changes_per_second);
        health_.slot = entry->slot;
    }

    // One that was killed long ago is forgotten.
    void standby() {
        constexpr double forgotten_after_s = 3600;
        const auto report = find_standby(broker_, names_);
        if (!report) return;
        const double silent = age(report->reported_us);
        if (silent > forgotten_after_s) return;
        health_.standby = {report->host, report->pid, silent, silent > thresholds_.dead_after_seconds};
    }

    [[nodiscard]] PartState state_of(const ReplicatorEntry& entry, double report_age) const {
        if (entry.ended) return PartState::stopped;
        if (report_age > thresholds_.dead_after_seconds) return PartState::dead;
        if (entry.stream_full) return PartState::stream_full;
        if (!entry.running) return PartState::waiting;
        return health_.snapshot && !health_.snapshot->complete ? PartState::snapshot : PartState::streaming;
    }

    void workers() {
        std::vector<std::string> unreadable;
        const auto entries = WorkerRegistry(broker_, names_).list(&unreadable);
        for (const WorkerEntry& entry : entries) worker(entry);
        if (const WorkerEntry* last = slowest(entries)) {
            health_.stream.oldest_needed = needed_from(*last);
            health_.stream.oldest_needed_by = last->name;
        }
        for (const std::string& name : unreadable) {
            WorkerHealth out;
            out.name = name;
            out.readable = false;
            health_.workers.push_back(out);
        }
        std::ranges::sort(health_.workers, {}, &WorkerHealth::name);
    }

    void worker(const WorkerEntry& entry) {
        WorkerHealth out;
        out.name = entry.name;
        out.sink = entry.sink;
        // Of a snapshot that it has loaded, an older build says so in `durable` only.
        const Checkpoint applied = std::max(entry.applied, entry.durable, earlier);
        out.applied = applied.position;
        out.durable = entry.durable.position;
        out.needs = needed_from(entry);
        out.loading_epoch = entry.loading_epoch;
        out.waiting = entry.waiting;
        out.report_age = age(std::max(entry.reported_us, entry.starting_us));
        out.failed = entry.failed;
        out.started = entry.registered_us != 0;
        if (!entry.last_error.empty()) {
            out.last_error = entry.last_error;
            out.last_error_age = age(entry.last_error_us);
        }
        out.state = state_of(entry, *out.report_age);
        if (out.state != PartState::stopped && out.state != PartState::dead && entry.changes_per_second)
            out.changes_per_second = static_cast<double>(*entry.changes_per_second);
        set_behind(out, applied, entry);
        health_.workers.push_back(out);
    }

    [[nodiscard]] PartState state_of(const WorkerEntry& entry, double report_age) const {
        if (entry.session.empty() && !entry.starts()) return PartState::stopped;
        if (report_age > thresholds_.dead_after_seconds) return PartState::dead;
        if (entry.starts() || !entry.waiting.empty()) return PartState::waiting;
        return entry.loading_epoch != 0 ? PartState::snapshot : PartState::streaming;
    }

    void set_behind(WorkerHealth& out, const Checkpoint& applied, const WorkerEntry& entry) const {
        const std::uint64_t next = std::max<std::uint64_t>(1, applied.resume_seq.value);
        const std::uint64_t end = health_.stream.last_seq.value + 1;
        out.behind_messages = end > next ? end - next : 0;
        if (out.behind_messages == 0) {
            out.behind_bytes = 0;
            out.behind_seconds = 0;
            return;
        }
        const Lsn here = applied.position.commit;
        if (here.valid() && last_position_)
            out.behind_bytes =
                last_position_->commit > here ? last_position_->commit.value - here.value : std::uint64_t{0};
        const bool runs = !entry.session.empty() && out.state != PartState::dead;
        if (entry.applying_us != 0)
            out.behind_seconds = age(entry.applying_us);
        else if (next <= health_.stream.first_seq.value && health_.stream.oldest_age)
            out.behind_seconds = health_.stream.oldest_age;
        else if (!runs || out.loading_epoch == 0)
            out.behind_seconds = age(entry.reported_us);  // it had applied all that it had read then
    }

    [[nodiscard]] double age(std::int64_t since_us) const {
        return static_cast<double>(std::max<std::int64_t>(0, health_.at_us - since_us)) / 1e6;
    }

    Broker& broker_;
    const Names& names_;
    const HealthThresholds& thresholds_;
    GroupHealth health_;
    std::optional<Position> last_position_;
};

}  // namespace

GroupHealth gather_health(Broker& broker, const Names& names, const HealthThresholds& thresholds) {
    return Gathering(broker, names, thresholds).all();
}

}  // namespace pgsluice
