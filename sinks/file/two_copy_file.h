// A state record that survives a crash in the middle of writing it, at the price of one fdatasync.
//
// The file has two copies of 1 KiB, each a StateRecord padded with spaces. Records are numbered and written to the
// copies alternately, so the one before the newest is never touched; reading takes the newest that is whole. The file
// is never replaced: its flock is the lock of whatever the state belongs to.
#pragma once

#include <optional>
#include <string>

#include "sinks/file/posix_file.h"
#include "sinks/file/state_record.h"

namespace pgsluice {

class TwoCopyFile {
   public:
    // Opens or makes the file and locks it. A stop Error naming `what` when another process has it.
    TwoCopyFile(std::string path, const std::string& what);

    // Nothing when none was ever written; a stop Error when there was one and neither copy can be read.
    std::optional<StateRecord> read();
    // Durable when it returns.
    void write(StateRecord record);

   private:
    std::string path_;
    Fd file_;
    std::uint64_t number_ = 0;  // of the newest record
};

}  // namespace pgsluice
