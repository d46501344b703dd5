// What a dry run writes to.
#pragma once

#include <stdexcept>

#include "sinks/sink.h"

namespace pgsluice {

class DryRunSink final : public Sink {
   public:
    [[nodiscard]] bool keeps_state() const override { return false; }
    std::optional<SinkState> open() override { return std::nullopt; }
    void begin_snapshot(const SnapshotBegin& /*begin*/, const std::vector<RelationPtr>& /*tables*/,
                        const Checkpoint& upto) override {
        durable_ = upto;
    }
    [[nodiscard]] bool takes_copy() const override { return false; }
    void copy(const CopyBlock& /*block*/) override { throw std::logic_error("a dry run takes no COPY text"); }
    void end_snapshot(const SnapshotEnd& /*end*/, const Checkpoint& upto) override { durable_ = upto; }
    void apply(const Batch& batch) override { durable_ = batch.upto; }
    void flush() override {}
    [[nodiscard]] Checkpoint durable() const override { return durable_; }
    void close() override {}

   private:
    Checkpoint durable_;
};

}  // namespace pgsluice
