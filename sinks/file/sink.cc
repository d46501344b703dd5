#include "sinks/file/sink.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "sinks/file/line_directory.h"
#include "sinks/lines/copy_notice.h"
#include "sinks/lines/json_line.h"
#include "sinks/lines/rfc3339.h"

namespace pgsluice {

namespace {

class FileSink final : public Sink {
   public:
    FileSink(const FileSinkOptions& options, Log log)
        : options_(options),
          directory_(options.output_dir, options.group, options.share,
                     options.format == LineFormat::debezium ? "debezium" : "pg_flo", options.zstd, std::move(log)),
          encoder_(make_line_encoder(options.format, options.group, options.share)) {}

    std::optional<SinkState> open() override {
        const auto state = directory_.recover();
        complete_ = directory_.state();
        return state;
    }

    bool reads(const std::string& stream) override { return directory_.reads(stream); }

    void read_from(const GroupInfo& source) override { encoder_->set_database(source.dbname); }

    void begin_snapshot(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables,
                        const Checkpoint& upto) override {
        if (in_transaction_) directory_.recover();  // the rest of that transaction never comes: a copy begins
        in_transaction_ = false;
        const bool again = std::exchange(starts_over_, false);
        if (is_within(complete_, begin) && !again) {
            complete_.begin_seq = upto.resume_seq;
            return;
        }
        // Another copy with the same number, or this one from its beginning: files of that number hold its former rows.
        if (complete_.loading_epoch == begin.epoch) directory_.discard({upto, 0, {}}, {});
        // The epoch's rows get files of their own, so that they can be thrown away if it does not end.
        if (complete_.loading_epoch == 0) directory_.seal(complete_);
        complete_ = {upto, begin.epoch, upto.resume_seq};
        first_lines_.clear();
        // Changes, or rows of an earlier copy, are in finished files; a copy of added tables leaves them valid, but for
        // those that it copies again.
        const auto voided = begin.added ? replaced_tables(begin, tables) : tables;
        if (directory_.has_finished() && !(begin.added && voided.empty()))
            encoder_->append_snapshot_begin(first_lines_, begin, voided);
        directory_.discard(complete_, first_lines_);
    }

    // An epoch's files are its own until it ends.
    [[nodiscard]] bool takes_back() const override { return true; }
    void start_over() override { starts_over_ = true; }

    [[nodiscard]] bool takes_copy() const override { return false; }
    void copy(const CopyBlock& /*block*/) override { throw std::logic_error("the file sink takes no COPY text"); }

    void end_snapshot(const SnapshotEnd& /*end*/, const Checkpoint& upto) override {
        const std::uint64_t epoch = complete_.loading_epoch;
        directory_.seal(complete_);
        complete_ = {upto, 0, StreamSeq{}};
        directory_.publish(epoch, complete_);
    }

    void apply(const Batch& batch) override {
        // What is cut off when the rest of a transaction does not come goes back to the record.
        if (!batch.complete && !in_transaction_ && complete_ != directory_.state()) commit();
        encoder_->set_time(now_unix_us());
        for (const Change& change : batch.changes) append(change);
        in_transaction_ = !batch.complete;
        if (in_transaction_) return;
        complete_.checkpoint = batch.upto;
        rotate_if_due();
    }

    void flush() override {
        if (directory_.has_file()) directory_.file().write();
        if (in_transaction_) return;
        const auto since = std::chrono::steady_clock::now() - committed_at_;
        const bool due = since >= std::chrono::milliseconds(options_.commit_interval_ms);
        if (due && complete_ != directory_.state()) commit();
        rotate_if_due();
    }

    [[nodiscard]] Checkpoint durable() const override { return directory_.state().checkpoint; }

    // A worker that ends in order leaves whole files; the next one begins its own.
    void close() override {
        if (in_transaction_) directory_.recover();
        if (directory_.has_file()) {
            directory_.seal(complete_);
        } else if (complete_ != directory_.state()) {
            commit();
        }
    }

   private:
    void append(const Change& change) {
        if (directory_.has_file()) {
            encoder_->append(directory_.file().lines(), change);
        } else {
            first_lines_.clear();
            if (encoder_->append(first_lines_, change) == 0) return;  // nothing to begin a file for
            directory_.file(change.position).lines() = first_lines_;
        }
        directory_.file().write_full_blocks();
    }

    void commit() {
        directory_.commit(complete_);
        committed_at_ = std::chrono::steady_clock::now();
    }

    // At the end of a transaction only, so that no file holds a part of one.
    void rotate_if_due() {
        if (!directory_.has_file()) return;
        const bool large = directory_.file().size() >= options_.max_size_bytes;
        const bool old = now_unix_us() - directory_.begun_us() >= options_.max_age_ms * 1000;
        if (large || old) directory_.seal(complete_);
    }

    FileSinkOptions options_;
    LineDirectory directory_;
    std::unique_ptr<LineEncoder> encoder_;
    std::string first_lines_;
    SinkState complete_;  // as of the last whole transaction handed to us
    bool in_transaction_ = false;
    bool starts_over_ = false;
    std::chrono::steady_clock::time_point committed_at_{};
};

}  // namespace

std::unique_ptr<Sink> make_file_sink(const FileSinkOptions& options, Log log, std::stop_token /*stop*/) {
    return std::make_unique<FileSink>(options, std::move(log));
}

}  // namespace pgsluice
