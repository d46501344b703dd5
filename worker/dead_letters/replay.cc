#include "worker/dead_letters/replay.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "sinks/delivers_again.h"
#include "sinks/leaves_out.h"
#include "sinks/postgres/sink.h"
#include "sinks/webhook/sink.h"
#include "sql/error.h"
#include "stream/base/failpoint.h"
#include "worker/dead_letters/owed.h"

namespace pgsluice {

namespace {

SinkState open_for_replay(Sink& sink, const PostgresSinkOptions& options) {
    const SinkState state = sink.open().value();  // there is one: the worker has written here
    if (state.loading_epoch != 0) {
        throw stop_error(fmt::format("unable to replay: worker '{}' is in the middle of a snapshot", options.worker),
                         "Start the worker, let it finish the snapshot, and stop it.");
    }
    return state;
}

Batch batch_of(const DeadLetter& letter, const std::shared_ptr<const Block>& block) {
    Batch batch;
    batch.changes = block->changes;
    if (letter.snapshot) {
        batch.changes[0].snapshot = true;
        batch.changes[0].transaction = nullptr;  // the one in its block is made up
    } else if (const Transaction* transaction = batch.changes[0].transaction; transaction != nullptr) {
        batch.made_in = transaction->made_in;
    }
    batch.keep.push_back(block);
    return batch;
}

class PostgresReplay final : public DeadLetterReplay {
   public:
    PostgresReplay(const PostgresSinkOptions& options, const Log& log, const std::stop_token& stop,
                   const std::optional<GroupInfo>& source)
        : owed_(options.target, options.group, options.worker, stop),
          sink_(make_postgres_sink(options, log, stop)),
          state_(open_for_replay(*sink_, options)) {
        if (source) sink_->read_from(*source);
    }

    bool apply(const DeadLetter& letter, const std::shared_ptr<const Block>& block,
               const std::set<std::uint32_t>& /*without*/) override {
        if (!owed_.holds(letter)) return false;
        Batch batch = batch_of(letter, block);
        owed_.remove_with(batch, letter);
        batch.upto = state_.checkpoint;  // where the worker is does not change
        sink_->apply(batch);
        sink_->flush();
        PGSLUICE_FAILPOINT("dlq-applied");
        return true;
    }
    void close() override { sink_->close(); }

   private:
    OwedLetters owed_;  // first: it refuses a target that the worker has never written to
    std::unique_ptr<Sink> sink_;
    SinkState state_;
};

class WebhookReplay final : public DeadLetterReplay {
   public:
    WebhookReplay(const WebhookSinkOptions& options, const Log& log, const std::stop_token& stop,
                  const std::optional<GroupInfo>& source)
        : sink_(make_webhook_sink(options, log, stop)) {
        sink_->open();
        if (source) sink_->read_from(*source);
    }

    bool apply(const DeadLetter& letter, const std::shared_ptr<const Block>& block,
               const std::set<std::uint32_t>& without) override {
        if (!posted_.insert(identity_of(letter)).second) return false;
        dynamic_cast<LeavesOut&>(*sink_).leave_out(without);
        dynamic_cast<DeliversAgain&>(*sink_).deliver_again(letter.reload);
        sink_->apply(batch_of(letter, block));
        sink_->flush();
        PGSLUICE_FAILPOINT("dlq-applied");
        return true;
    }
    void close() override { sink_->close(); }

   private:
    std::unique_ptr<Sink> sink_;
    std::set<DeadLetterIdentity> posted_;
};

}  // namespace

std::unique_ptr<DeadLetterReplay> replay_to_postgres(PostgresSinkOptions options, const Log& log,
                                                     const std::stop_token& stop,
                                                     const std::optional<GroupInfo>& source) {
    options.on_error = OnError::stop;
    return std::make_unique<PostgresReplay>(options, log, stop, source);
}

std::unique_ptr<DeadLetterReplay> replay_to_webhook(WebhookSinkOptions options, const Log& log,
                                                    const std::stop_token& stop,
                                                    const std::optional<GroupInfo>& source) {
    options.on_error = OnError::stop;
    return std::make_unique<WebhookReplay>(options, log, stop, source);
}

}  // namespace pgsluice
