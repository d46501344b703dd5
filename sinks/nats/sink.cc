#include "sinks/nats/sink.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "sinks/delivers_again.h"
#include "sinks/lines/copy_notice.h"
#include "sinks/lines/event_key.h"
#include "sinks/lines/json_line.h"
#include "sinks/lines/rfc3339.h"
#include "sinks/nats/subject_template.h"
#include "stream/op_names.h"
#include "stream/per_relation.h"

namespace pgsluice {

namespace {

constexpr int poll_ms = 100;
constexpr std::uint64_t header_bytes = 1024;  // what our headers take at most; max_payload counts them

class NatsSink final : public Sink, public DeliversAgain {
   public:
    NatsSink(const NatsSinkOptions& options, const BrokerOptions& group_server, Log log, std::stop_token stop)
        : options_(options),
          server_(group_server),
          log_(std::move(log)),
          stop_(std::move(stop)),
          subject_(options.subject, options.group, group_server.inbox_prefix),
          encoder_(make_line_encoder(options.format, options.group, options.share)) {
        if (options.url.empty()) return;
        server_.url = options.url;
        server_.js_domain.clear();  // of the group's server
    }

    [[nodiscard]] bool keeps_state() const override { return false; }

    std::optional<SinkState> open() override {
        broker_ = Broker::connect(server_, log_, stop_);
        publisher_ = broker_->subject_publisher();
        return std::nullopt;
    }

    void resume(const SinkState& state) override {
        complete_ = durable_ = state.checkpoint;
        loading_epoch_ = state.loading_epoch;
    }

    void deliver_again(std::uint64_t reload) override { reload_ = reload; }

    void read_from(const GroupInfo& source) override { encoder_->set_database(source.dbname); }

    void while_waiting(std::function<void()> tell) override { tell_ = std::move(tell); }

    void begin_snapshot(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables,
                        const Checkpoint& upto) override {
        for (const RelationPtr& table : tables)  // refused before any of their rows are published
            if (table) static_cast<void>(subject_.fill(table->schema, table->table, op_names[0]));
        const SinkState state{complete_, loading_epoch_, {}};
        lines_.clear();
        const std::string warning = notice_.begin(lines_, *encoder_, begin, tables, state);
        if (is_within(state, begin)) return;
        loading_epoch_ = begin.epoch;
        if (!warning.empty()) {
            log_(LogLevel::warning, warning);
            publish({{begin.consistent_point, 0}, true, 0, options_.share}, subject_.fill("", "", "snapshot"), lines_);
        }
        complete_ = upto;
        await_answers();
    }

    [[nodiscard]] bool takes_copy() const override { return false; }
    void copy(const CopyBlock& /*block*/) override { throw std::logic_error("the nats sink takes no COPY text"); }

    void end_snapshot(const SnapshotEnd& /*end*/, const Checkpoint& upto) override {
        loading_epoch_ = 0;
        complete_ = upto;
        await_answers();
    }

    void apply(const Batch& batch) override {
        encoder_->set_time(now_unix_us());
        for (const Change& change : batch.changes) add(change);
        if (batch.complete) complete_ = batch.upto;
    }

    void flush() override { await_answers(); }
    [[nodiscard]] Checkpoint durable() const override { return durable_; }
    void close() override { await_answers(); }

   private:
    using Subjects = std::array<std::string, 4>;  // by Op

    void add(const Change& change) {
        lines_.clear();
        encoder_->append(lines_, change);
        EventKey key{change.position, change.snapshot, first_part(change)};
        if (is_sent_by_every_share(change)) key.share = options_.share;
        for (std::string_view rest = lines_; !rest.empty(); ++key.part) {
            const std::size_t end = rest.find('\n') + 1;
            publish(key, subject_of(change, key.part), rest.substr(0, end));
            rest.remove_prefix(end);
        }
    }

    const std::string& subject_of(const Change& change, std::size_t part) {
        if (change.op == Op::message) return ddl_subject_;
        const Relation& relation = change.op == Op::truncate ? *change.truncated[part] : *change.relation;
        const auto op = static_cast<std::size_t>(change.op);
        std::string& subject = subjects_.at(relation, [] { return Subjects(); })[op];
        if (subject.empty()) subject = subject_.fill(relation.schema, relation.table, op_names[op]);
        return subject;
    }

    void publish(EventKey key, const std::string& subject, std::string_view line) {
        line.remove_suffix(1);  // the newline
        key.reload = reload_;
        const std::string position = to_string(key);
        const std::uint64_t most = broker_->max_payload();
        if (line.size() + header_bytes > most) {
            throw stop_error(
                fmt::format("unable to publish change '{}' to '{}': it is {} bytes long, the server's limit is {}",
                            position, subject, line.size() + header_bytes, most),
                "Raise max_payload in nats-server's configuration, or exclude the column with a rule.");
        }
        wait_until([&] { return publisher_->wait_for_room(line.size(), poll_ms); });
        publisher_->publish(subject, line, options_.group + ":" + position + ":" + subject);
    }

    // Until the server has stored everything.
    void await_answers() {
        wait_until([&] { return publisher_->await_acks(poll_ms); });
        durable_ = complete_;
    }

    // Acknowledgements may take long, or never come: meanwhile the worker reports, and a stop is seen.
    template <typename Done>
    void wait_until(const Done& done) {
        while (!done()) {
            if (tell_) tell_();
            const auto now = std::chrono::steady_clock::now();
            if (!stop_.stop_requested()) continue;
            if (!stopping_since_) stopping_since_ = now;
            if (now - *stopping_since_ > std::chrono::milliseconds(options_.stop_grace_ms)) throw Interrupted();
        }
    }

    NatsSinkOptions options_;
    BrokerOptions server_;
    Log log_;
    std::stop_token stop_;
    SubjectTemplate subject_;
    std::string ddl_subject_ = subject_.fill("", "", "ddl");
    std::unique_ptr<LineEncoder> encoder_;
    std::unique_ptr<Broker> broker_;
    std::unique_ptr<SubjectPublisher> publisher_;
    CopyNotice notice_{"published"};
    PerRelation<Subjects> subjects_;
    std::string lines_;
    Checkpoint complete_;  // of the last complete batch published
    Checkpoint durable_;
    std::uint64_t loading_epoch_ = 0;
    std::uint64_t reload_ = 0;    // EventKey::reload
    std::function<void()> tell_;  // while we wait
    std::optional<std::chrono::steady_clock::time_point> stopping_since_;
};

}  // namespace

std::unique_ptr<Sink> make_nats_sink(const NatsSinkOptions& options, const BrokerOptions& group_server, Log log,
                                     std::stop_token stop) {
    return std::make_unique<NatsSink>(options, group_server, std::move(log), std::move(stop));
}

}  // namespace pgsluice
