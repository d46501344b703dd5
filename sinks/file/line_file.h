// The file a sink is writing lines into: plain, or as a sequence of zstd frames.
//
// It can be cut at any length that size() said after end_frame(): what comes before is whole lines, and whole frames.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sinks/file/posix_file.h"

struct ZSTD_CCtx_s;

namespace pgsluice {

class LineFile {
   public:
    // A new file; it must not exist.
    static LineFile create(std::string path, bool zstd);
    // Continues an existing one after `length` bytes; what follows them is cut off. A stop Error when it is shorter.
    static LineFile resume(std::string path, bool zstd, std::uint64_t length);

    // Lines to be written are appended here. Call write_full_blocks() now and then.
    std::string& lines() noexcept { return lines_; }
    // Writes the lines out if they are enough for a large write.
    void write_full_blocks() {
        if (lines_.size() >= block_bytes) write();
    }
    void write();
    // Writes all lines and ends the frame.
    void end_frame();
    void sync() { sync_file(file_, path_); }

    // Bytes in the file, and those waiting to be written where they are not compressed first.
    [[nodiscard]] std::uint64_t size() const noexcept { return written_ + (zstd_ ? 0 : lines_.size()); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

   private:
    static constexpr std::size_t block_bytes = 512 * 1024;

    LineFile(std::string path, bool zstd, Fd file, std::uint64_t length);
    void compress(std::string_view text, bool end);
    void put(std::string_view bytes);

    std::string path_;
    Fd file_;
    std::string lines_;
    std::uint64_t written_;
    std::unique_ptr<ZSTD_CCtx_s, void (*)(ZSTD_CCtx_s*) noexcept> zstd_;
    bool frame_open_ = false;
    std::string compressed_;
};

}  // namespace pgsluice
