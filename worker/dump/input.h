// A dump's text, whatever pg_dump packed it into: an archive is unpacked by pg_restore, a compressed file by gzip, zstd
// or lz4, as processes beside ours.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "stream/process/child_process.h"

namespace pgsluice::dump {

enum class Packing : std::uint8_t { none, archive, gzip, zstd, lz4 };

// A stop Error when there is no such file.
Packing packing_of(const std::string& path);

class Input {
   public:
    // `tell` is called several times a second while nothing comes.
    Input(std::string path, std::stop_token stop, std::function<void()> tell);

    // Up to `size` bytes; 0 at the end. A stop Error when what unpacks it failed.
    std::size_t read(char* into, std::size_t size);

   private:
    struct Close {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    std::size_t read_file(char* into, std::size_t size);
    std::size_t read_child(char* into, std::size_t size);

    const std::string path_;
    const std::stop_token stop_;
    const std::function<void()> tell_;
    std::string program_;
    std::unique_ptr<ChildProcess> child_;
    std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace pgsluice::dump
