// The directory of a file sink: which file is open, which are finished, and the record that says so. Knows no rows.
//
// Steps and what a crash between them leaves for recover():
//   create   a `.part` the record does not name                                removed
//   commit   data synced, record not written: bytes past the recorded length    cut off
//   seal     record says "sealed", rename not done                              renamed
//   publish  record says the epoch has ended, some renames not done             renamed
//   discard  record says another epoch is loading, files of the old one there   removed
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sinks/file/line_file.h"
#include "sinks/file/two_copy_file.h"
#include "stream/base/log.h"

namespace pgsluice {

class LineDirectory {
   public:
    // `format` names what the lines look like: a file holds lines of one format.
    // `share`: of the rows; a directory of another one is refused.
    LineDirectory(std::string path, std::string group, std::string share, std::string format, bool zstd, Log log);

    // Locks the directory, repairs what a crash left, and says how far it is. Called again, in the middle of a
    // transaction: back to the record.
    std::optional<SinkState> recover();

    // Sink::reads(): written with every record.
    bool reads(const std::string& stream);

    // The open file; begun now if there is none.
    LineFile& file(Position first);
    [[nodiscard]] bool has_file() const noexcept { return file_.has_value(); }
    [[nodiscard]] LineFile& file() noexcept { return *file_; }
    // When the open file was begun, microseconds since 1970-01-01 UTC.
    [[nodiscard]] std::int64_t begun_us() const noexcept { return begun_us_; }

    // What the open file holds, and `state`, are durable when this returns.
    void commit(const SinkState& state);
    // The same, and the file is finished: it gets its final name, or waits for the end of the epoch being loaded.
    void seal(const SinkState& state);
    // The epoch in `before` has ended: all its files get their final names.
    void publish(std::uint64_t epoch, const SinkState& state);
    // Another epoch starts: the open file and what older epochs loaded are removed. `first_lines`, if any, begin its
    // first file and are durable with `state`.
    void discard(const SinkState& state, const std::string& first_lines);

    // Whether lines were ever handed over, of changes or of a copy; also when the files have been taken away since.
    [[nodiscard]] bool has_finished() const;
    [[nodiscard]] const SinkState& state() const noexcept { return record_.state; }

   private:
    [[nodiscard]] std::string in_directory(const std::string& name) const { return path_ + "/" + name; }
    void rename_file(const std::string& from, const std::string& to);
    // Renames and removes until the directory is as the record says.
    void match_record();
    void resume_open_file();
    void write_record(const SinkState& state);
    void sync_open_file();

    std::string path_;
    std::string share_;
    std::string format_;
    std::string stream_;  // empty: as the record says
    bool zstd_;
    Log log_;
    std::optional<TwoCopyFile> state_file_;
    StateRecord record_;
    std::optional<LineFile> file_;
    std::string name_;  // of the open file, without its suffix
    std::int64_t begun_us_ = 0;
    bool name_durable_ = false;
};

}  // namespace pgsluice
