#include "sinks/file/line_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "sinks/file/line_file_name.h"
#include "sinks/kept_stream.h"
#include "sinks/lines/rfc3339.h"
#include "stream/base/failpoint.h"

namespace pgsluice {

namespace fs = std::filesystem;

namespace {

// The record's own fields.
constexpr const char* open_field = "open";      // the open file's name
constexpr const char* format_field = "format";  // of its lines; files begun before there was this field are pg_flo's
constexpr const char* length_field = "length";  // its bytes that count
constexpr const char* sealed_field = "sealed";  // the file finished last
constexpr const char* ended_field = "ended_epoch";    // the epoch whose files are finished; 0 while another is loading
constexpr const char* finished_field = "finished";    // "1" once a file was handed over
constexpr const char* last_begun_field = "begun_us";  // when the newest file was begun

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
        names.push_back(at->path().filename().string());
    }
    if (error) throw stop_error("unable to list '" + directory + "': " + error.message());
    std::sort(names.begin(), names.end());
    return names;
}

std::string snapshot_name(const std::string& name, std::uint64_t epoch) {
    return fmt::format("{}.snapshot-{}", name, epoch);
}

}  // namespace

LineDirectory::LineDirectory(std::string path, std::string group, std::string share, std::string format, bool zstd,
                             Log log)
    : path_(std::move(path)), share_(std::move(share)), format_(std::move(format)), zstd_(zstd), log_(std::move(log)) {
    record_.group = std::move(group);
}

std::optional<SinkState> LineDirectory::recover() {
    file_.reset();
    if (!state_file_) {
        std::error_code error;
        fs::create_directories(path_, error);
        if (error) throw stop_error("unable to make directory '" + path_ + "': " + error.message());
        state_file_.emplace(in_directory("pgsluice.state"), "the directory");
    }
    auto record = state_file_->read();
    const bool known = record.has_value();
    if (known && record->group != record_.group) {
        throw stop_error("unable to use '" + path_ + "': it belongs to group '" + record->group + "'",
                         "Give each group a --file-output-dir of its own.");
    }
    if (known)
        check_share(record->text(share_field), share_, path_,
                    "Give each share, and each set of shares, a --file-output-dir of its own.");
    if (known) record_ = std::move(*record);
    match_record();
    resume_open_file();
    if (!known) return std::nullopt;
    return record_.state;
}

void LineDirectory::match_record() {
    using Kind = LineFileName::Kind;
    const std::string open = record_.text(open_field);
    const std::string sealed = record_.text(sealed_field);
    const std::uint64_t loading = record_.state.loading_epoch;
    for (const std::string& name : names_in(path_)) {
        const LineFileName parsed = parse_line_file_name(name);
        if (parsed.kind == Kind::part && parsed.finished == open) continue;
        if (parsed.kind == Kind::part && parsed.finished == sealed) {
            rename_file(name, loading == 0 ? sealed : snapshot_name(sealed, loading));
        } else if (parsed.kind == Kind::snapshot && parsed.epoch == record_.number(ended_field)) {
            rename_file(name, parsed.finished);
        } else if (parsed.kind == Kind::part || (parsed.kind == Kind::snapshot && parsed.epoch != loading)) {
            log_(LogLevel::info, fmt::format("removing '{}': it is newer than the checkpoint", in_directory(name)));
            if (std::remove(in_directory(name).c_str()) != 0) throw io_error("remove", in_directory(name));
        }
    }
    sync_directory(path_);
}

void LineDirectory::resume_open_file() {
    name_ = record_.text(open_field);
    begun_us_ = static_cast<std::int64_t>(record_.number(last_begun_field));
    name_durable_ = true;
    if (name_.empty()) return;
    file_.emplace(LineFile::resume(in_directory(name_ + ".part"), is_zstd_name(name_), record_.number(length_field)));
    const std::string format = record_.text(format_field);
    const bool same_format = (format.empty() ? "pg_flo" : format) == format_;
    if (is_zstd_name(name_) != zstd_ || !same_format) seal(record_.state);  // an option was changed
}

LineFile& LineDirectory::file(Position first) {
    if (file_) return *file_;
    // Names must sort in the order of the files, also when the clock was set back.
    begun_us_ = std::max(now_unix_us(), static_cast<std::int64_t>(record_.number(last_begun_field)) + 1);
    name_ = line_file_name(begun_us_, first, zstd_);
    name_durable_ = false;
    return file_.emplace(LineFile::create(in_directory(name_ + ".part"), zstd_));
}

bool LineDirectory::reads(const std::string& stream) {
    stream_ = record_.text(stream_field);
    return keep_stream(stream_, stream);
}

// Records written before there was this field know ended copies only.
bool LineDirectory::has_finished() const {
    return record_.number(finished_field) != 0 || record_.number(ended_field) != 0;
}

void LineDirectory::sync_open_file() {
    if (!file_) return;
    file_->end_frame();
    file_->sync();
    if (!name_durable_) sync_directory(path_);
    name_durable_ = true;
}

void LineDirectory::write_record(const SinkState& state) {
    PGSLUICE_FAILPOINT("file-before-checkpoint");
    StateRecord next = record_;
    next.state = state;
    next.more[open_field] = file_ ? name_ : "";
    next.more[format_field] = format_;
    if (!stream_.empty()) next.more[stream_field] = stream_;
    if (!share_.empty()) next.more[share_field] = share_;
    next.more[length_field] = std::to_string(file_ ? file_->size() : 0);
    next.more[last_begun_field] = std::to_string(begun_us_);
    state_file_->write(next);
    record_ = std::move(next);
    PGSLUICE_FAILPOINT("file-after-checkpoint");
}

void LineDirectory::commit(const SinkState& state) {
    sync_open_file();
    write_record(state);
}

void LineDirectory::seal(const SinkState& state) {
    sync_open_file();
    if (file_) record_.more[sealed_field] = name_;
    if (file_ && state.loading_epoch == 0) record_.more[finished_field] = "1";
    file_.reset();
    write_record(state);
    match_record();
}

void LineDirectory::publish(std::uint64_t epoch, const SinkState& state) {
    record_.more[ended_field] = std::to_string(epoch);
    record_.more[finished_field] = "1";
    write_record(state);
    match_record();
}

void LineDirectory::discard(const SinkState& state, const std::string& first_lines) {
    file_.reset();
    record_.more[sealed_field] = "";
    // Epochs count from 1 again when the group's KV bucket was lost: this one may have the number of one that ended.
    if (has_finished()) record_.more[finished_field] = "1";
    record_.more[ended_field] = "0";
    if (!first_lines.empty()) file(state.checkpoint.position).lines() = first_lines;
    sync_open_file();
    write_record(state);
    match_record();
}

void LineDirectory::rename_file(const std::string& from, const std::string& to) {
    PGSLUICE_FAILPOINT("file-rename");
    const std::string target = in_directory(to);
    if (std::rename(in_directory(from).c_str(), target.c_str()) != 0) throw io_error("name", target);
}

}  // namespace pgsluice
