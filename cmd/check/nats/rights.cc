#include "cmd/check/nats/rights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "cmd/check/sides.h"

namespace pgsluice {

namespace {

// The rights of one role, put together.
class Rights {
   public:
    Rights(const BrokerProbe& probe, const Names& names) : probe_(probe), names_(names) {}

    // `call`: "STREAM.INFO.pgsluice_shop"
    void api(const std::string& doing, const std::string& call, bool always = true) {
        add(doing, probe_.api_subject(call), probe_.api_subject(call), always);
    }
    // One of many that begin so: "STREAM.GET.KV_pgsluice_shop."
    void api_below(const std::string& doing, const std::string& call, const std::string& rest) {
        add(doing, probe_.api_subject(call + rest), probe_.api_subject(call + ">"), true);
    }
    void key(const std::string& doing, const std::string& key, const std::string& pattern, bool always = true) {
        add(doing, probe_.key_subject(names_, key), probe_.key_subject(names_, pattern), always);
    }
    void add(const std::string& doing, const std::string& subject, const std::string& pattern, bool always = true) {
        all_.push_back({{doing, subject, pattern}, always, {}, {}});
    }
    void make(const std::string& doing, const std::string& stream) {
        api(doing, "STREAM.CREATE." + stream);
        all_.back().makes = stream;
    }
    void purge(const std::string& doing, const std::string& stream) {
        api(doing, "STREAM.PURGE." + stream);
        all_.back().purges = stream;
    }
    [[nodiscard]] std::vector<WantedRight> take() { return std::move(all_); }

   private:
    const BrokerProbe& probe_;
    const Names& names_;
    std::vector<WantedRight> all_;
};

}  // namespace

std::vector<WantedRight> reading_rights(const BrokerProbe& probe, const Names& names) {
    Rights rights(probe, names);
    rights.api("ask about JetStream", "INFO");
    rights.api(fmt::format("read the state of stream '{}'", names.stream), "STREAM.INFO." + names.stream);
    rights.api(fmt::format("read messages of stream '{}'", names.stream), "STREAM.MSG.GET." + names.stream);
    rights.api("read the state of the group's bucket", "STREAM.INFO.KV_" + names.bucket);
    const std::string keys = "DIRECT.GET.KV_" + names.bucket + ".";
    rights.api_below("read the group's keys", keys, "$KV." + names.bucket + ".check");
    return rights.take();
}

std::vector<WantedRight> replicator_rights(const BrokerProbe& probe, const Names& names) {
    Rights rights(probe, names);
    const std::string subjects = fmt::format("pgsluice.{}.>", names.group);
    rights.add("publish the snapshot", names.snapshot_subject, subjects);
    rights.add("publish changes", names.changes_subject, subjects);
    rights.key("write the group's keys", "check", ">");
    rights.make(fmt::format("create stream '{}'", names.stream), names.stream);
    rights.make("create the group's bucket", "KV_" + names.bucket);
    rights.api(fmt::format("change the limits of stream '{}'", names.stream), "STREAM.UPDATE." + names.stream, false);
    rights.api("change the replicas of the group's bucket", "STREAM.UPDATE.KV_" + names.bucket, false);
    rights.purge(fmt::format("trim stream '{}'", names.stream), names.stream);
    rights.purge("remove the group's keys", "KV_" + names.bucket);
    rights.api("see the group's dead letters", "STREAM.INFO." + names.dead_letters);
    return rights.take();
}

std::vector<WantedRight> worker_rights(const BrokerProbe& probe, const Names& names, const std::string& worker,
                                       bool parks) {
    Rights rights(probe, names);
    for (const char* kind : {"worker", "seen"})
        rights.key("write the worker's keys", fmt::format("{}.{}", kind, worker), fmt::format("{}.>", kind));
    for (const char* kind : {"rules", "compared", "ddl_pending"})
        rights.key("write the worker's keys", fmt::format("{}.{}", kind, worker), fmt::format("{}.>", kind), false);
    rights.key("say how far a direct snapshot is", "direct", "direct", false);
    const std::string read = fmt::format("read stream '{}'", names.stream);
    rights.api(read, "CONSUMER.CREATE." + names.stream);
    rights.api_below(read, "CONSUMER.DELETE." + names.stream + ".", "no-such-consumer");
    rights.add(read, fmt::format("$JS.FC.{}.check.check", names.stream), fmt::format("$JS.FC.{}.>", names.stream));
    if (!parks) return rights.take();
    rights.add("park changes", names.dead_letter_subject, names.dead_letter_subject);
    rights.api("park changes", "STREAM.INFO." + names.dead_letters);
    rights.make("park changes", names.dead_letters);
    return rights.take();
}

namespace {

// Tries rights one after another, until it is known that no answer can come.
class Trial {
   public:
    Trial(const BrokerProbe& probe, Findings& found) : probe_(probe), found_(found) {}

    // Whether the user has all of them.
    bool have(const std::vector<WantedRight>& rights) {
        bool all = true;
        for (const WantedRight& right : rights) all = has(right) && all;
        return all;
    }
    [[nodiscard]] std::size_t tried() const { return tried_; }
    [[nodiscard]] const std::vector<std::string>& not_tried() const { return not_tried_; }
    [[nodiscard]] bool refused() const { return refused_; }

   private:
    bool has(const WantedRight& wanted) {
        if (!answers_) return false;
        if (!wanted.makes.empty() && is_there(wanted.makes)) return true;
        if (!wanted.purges.empty() && !is_missing(wanted.purges)) {
            not_tried_.push_back(wanted.right.subject);
            return true;
        }
        ++tried_;
        const auto refusal = wanted.purges.empty() ? probe_.refusal(wanted.right) : probe_.purge_refusal(wanted.right);
        if (!refusal) return true;
        refused_ = true;
        answers_ = !refusal->of_answers;
        if (wanted.always)
            found_.fail(refusal->error.what(), refusal->error.hint());
        else
            found_.warn(refusal->error.what(), refusal->error.hint());
        return false;
    }

    // Where it may not be asked, that was found before.
    bool may_ask(const std::string& stream) {
        const std::string subject = probe_.api_subject("STREAM.INFO." + stream);
        return !probe_.refusal({"", subject, subject});
    }
    bool is_there(const std::string& stream) { return may_ask(stream) && probe_.stream_exists(stream); }
    bool is_missing(const std::string& stream) { return may_ask(stream) && !probe_.stream_exists(stream); }

    const BrokerProbe& probe_;
    Findings& found_;
    std::size_t tried_ = 0;
    std::vector<std::string> not_tried_;
    bool answers_ = true;
    bool refused_ = false;
};

}  // namespace

bool look_at_nats_rights(const Settings& settings, const BrokerProbe& probe, Findings& found) {
    const Names& names = settings.replicator.names;
    const bool replicates = checks_replicator(settings);
    const bool works = checks_worker(settings);
    Trial trial(probe, found);
    const bool reads = trial.have(reading_rights(probe, names));
    if (replicates) trial.have(replicator_rights(probe, names));
    if (!trial.not_tried().empty())
        found.skipped(
            fmt::format("whether the user may publish to '{}', which a replicator needs: to try it could "
                        "remove what is there",
                        fmt::join(trial.not_tried(), "' and '")));
    const bool parks = settings.postgres.on_error == OnError::dead_letter;
    if (works) trial.have(worker_rights(probe, names, settings.worker.worker, parks));
    if (!replicates && !works)
        found.skipped("permissions to write: a replicator's are checked with a source, a worker's with a target");
    if (!trial.refused())
        found.ok(fmt::format("the user may publish to all {} subjects that are tried", trial.tried()));
    return reads;
}

}  // namespace pgsluice
