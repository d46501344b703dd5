#include "sinks/stdout/sink.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "sinks/file/state_record.h"
#include "sinks/kept_stream.h"
#include "sinks/lines/copy_notice.h"
#include "sinks/lines/json_line.h"
#include "sinks/lines/rfc3339.h"
#include "sinks/stdout/output_pipe.h"
#include "stream/base/pause.h"

namespace pgsluice {

namespace {

constexpr std::size_t buffer_bytes = 256 * 1024;
constexpr std::chrono::seconds checkpoint_interval{1};
constexpr std::chrono::seconds warning_interval{10};

class StdoutSink final : public Sink {
   public:
    StdoutSink(const StdoutSinkOptions& options, Log log, std::stop_token stop)
        : options_(options),
          log_(std::move(log)),
          stop_(std::move(stop)),
          pipe_(options.fd, options.mid_line, stop_, std::chrono::milliseconds(options.stop_grace_ms)),
          encoder_(make_line_encoder(options.format, options.group, options.share)) {
        if (*options.mid_line) buffer_.push_back('\n');  // where the session before ours was cut off
    }

    [[nodiscard]] bool keeps_state() const override { return !options_.checkpoint_file.empty(); }

    std::optional<SinkState> open() override {
        if (!keeps_state()) return std::nullopt;
        const std::string& path = options_.checkpoint_file;
        lock_ = lock_file(path + ".lock", "the checkpoint file");
        const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file.open() && errno == ENOENT) return std::nullopt;
        if (!file.open()) throw io_error("open", path);
        const auto record = parse_state(read_small_file(file, path));
        if (!record) {
            throw stop_error("unable to read '" + path + "': it is not a checkpoint file",
                             "Restore it, or remove it to have everything in the stream printed again.");
        }
        if (record->group != options_.group) {
            throw stop_error("unable to use '" + path + "': it belongs to group '" + record->group + "'",
                             "Name another --checkpoint-file.");
        }
        check_share(record->text(share_field), options_.share, path, "Name another --checkpoint-file.");
        complete_ = written_ = saved_ = record->state;
        stream_ = record->text(stream_field);
        return saved_;
    }

    bool reads(const std::string& stream) override { return keep_stream(stream_, stream); }

    void resume(const SinkState& state) override { complete_ = written_ = saved_ = state; }

    void read_from(const GroupInfo& source) override { encoder_->set_database(source.dbname); }

    void while_waiting(std::function<void()> tell) override {
        tell_ = tell;
        pipe_.while_waiting(std::move(tell));
    }

    void begin_snapshot(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables,
                        const Checkpoint& upto) override {
        const std::string warning = notice_.begin(buffer_, *encoder_, begin, tables, complete_);
        if (!warning.empty()) log_(LogLevel::warning, warning);
        if (is_within(complete_, begin)) {
            complete_.begin_seq = upto.resume_seq;
            return;
        }
        complete_ = {upto, begin.epoch, upto.resume_seq};
        // From here on the worker counts as being in this epoch, and a restart does not print the marker again.
        write_out();
        save_surely();
    }

    [[nodiscard]] bool takes_copy() const override { return false; }
    void copy(const CopyBlock& /*block*/) override { throw std::logic_error("the stdout sink takes no COPY text"); }

    void end_snapshot(const SnapshotEnd& /*end*/, const Checkpoint& upto) override {
        complete_ = {upto, 0, StreamSeq{}};
        write_out();
        save_surely();
    }

    void apply(const Batch& batch) override {
        encoder_->set_time(now_unix_us());
        for (const Change& change : batch.changes) {
            encoder_->append(buffer_, change);
            if (buffer_.size() >= buffer_bytes) write_out();
        }
        if (batch.complete) complete_.checkpoint = batch.upto;
        if (pipe_.is_terminal()) write_out();
    }

    void flush() override {
        write_out();
        pipe_.check_reader();
        if (std::chrono::steady_clock::now() - saved_at_ >= checkpoint_interval) save();
    }

    [[nodiscard]] Checkpoint durable() const override {
        return keeps_state() || pipe_.is_regular_file() ? saved_.checkpoint : written_.checkpoint;
    }

    void close() override {
        write_out();
        save_surely();
    }

   private:
    // Everything encoded so far goes out; lines of an incomplete transaction may be among them, its checkpoint is not.
    void write_out() {
        if (!buffer_.empty()) pipe_.write(buffer_);
        buffer_.clear();
        written_ = complete_;
    }

    // When the disk is full, later: another session would print all that is not saved again. Where the file itself
    // cannot be synced, its lines may be lost, and that is what another session is for.
    bool save() {
        saved_at_ = std::chrono::steady_clock::now();
        if (written_ == saved_) return true;
        pipe_.sync();
        try {
            if (keeps_state())
                replace_file(
                    options_.checkpoint_file,
                    to_text({options_.group, written_, {{stream_field, stream_}, {share_field, options_.share}}}));
        } catch (const Error& error) {
            if (error.action() != Action::retry) throw;
            if (saved_at_ >= silent_until_) log_(LogLevel::warning, std::string(error.what()) + "; retrying");
            unsaved_ = true;
            silent_until_ = std::max(silent_until_, saved_at_ + warning_interval);
            return false;
        }
        saved_ = written_;
        if (std::exchange(unsaved_, false))
            log_(LogLevel::info, fmt::format("checkpoint file '{}' is written again", options_.checkpoint_file));
        return true;
    }

    void save_surely() {
        while (!save()) {
            if (!pause(stop_, checkpoint_interval)) throw Interrupted();
            if (tell_) tell_();
        }
    }

    StdoutSinkOptions options_;
    Log log_;
    std::stop_token stop_;
    OutputPipe pipe_;
    std::function<void()> tell_;  // while we wait
    std::unique_ptr<LineEncoder> encoder_;
    CopyNotice notice_{"printed"};
    Fd lock_;
    std::string stream_;  // that the state comes from; empty when not known
    std::string buffer_;
    SinkState complete_;  // as of the last complete batch encoded
    SinkState written_;   // of the last one written
    SinkState saved_;     // of the last one that is on disk, where it is a file, and in the checkpoint file
    std::chrono::steady_clock::time_point saved_at_{};
    std::chrono::steady_clock::time_point silent_until_{};
    bool unsaved_ = false;
};

}  // namespace

std::unique_ptr<Sink> make_stdout_sink(const StdoutSinkOptions& options, Log log, std::stop_token stop) {
    return std::make_unique<StdoutSink>(options, std::move(log), std::move(stop));
}

}  // namespace pgsluice
