#include "worker/dump/input.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/error.h"

namespace pgsluice::dump {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t tar_header_bytes = 512;
constexpr std::size_t tar_magic_at = 257;

struct Unpacker {
    Packing packing;
    std::string_view begins;  // the file
    std::vector<std::string> argv;
    const char* hint;
};

constexpr const char* postgres_hint =
    "Install PostgreSQL's client programs (Debian: postgresql-client), of the version that made the dump or later, so "
    "that pg_restore is in PATH.";

const std::array<Unpacker, 4>& unpackers() {
    static const std::array<Unpacker, 4> all{
        Unpacker{Packing::archive, "PGDMP"sv, {"pg_restore", "--file=-"}, postgres_hint},
        Unpacker{Packing::gzip, "\x1f\x8b"sv, {"gzip", "-dc", "--"}, "Install gzip, or decompress the dump."},
        Unpacker{Packing::zstd, "\x28\xb5\x2f\xfd"sv, {"zstd", "-dcq", "--"}, "Install zstd, or decompress the dump."},
        Unpacker{Packing::lz4, "\x04\x22\x4d\x18"sv, {"lz4", "-dcq", "--"}, "Install lz4, or decompress the dump."},
    };
    return all;
}

Error unreadable(const std::string& path) {
    return stop_error(fmt::format("unable to read dump '{}': {}", path, std::strerror(errno)));
}

std::string beginning_of(const std::string& path) {
    std::string begin(tar_header_bytes, '\0');
    std::FILE* file = std::fopen(path.c_str(), "rbe");
    if (file == nullptr) throw unreadable(path);
    begin.resize(std::fread(begin.data(), 1, begin.size(), file));
    std::fclose(file);
    return begin;
}

std::string in_one_line(std::string text) {
    text.resize(text.find_last_not_of('\n') + 1);
    for (char& c : text)
        if (c == '\n') c = ';';
    return text;
}

}  // namespace

Packing packing_of(const std::string& path) {
    std::error_code unknown;
    const auto status = std::filesystem::status(path, unknown);
    if (std::filesystem::is_directory(status)) return Packing::archive;
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
        throw stop_error(fmt::format("unable to read dump '{}': it is no file, and it is read twice", path),
                         "Write the dump to a file first.");
    const std::string begin = beginning_of(path);
    if (begin.starts_with("toc.dat") && begin.substr(std::min(tar_magic_at, begin.size())).starts_with("ustar"))
        return Packing::archive;
    for (const Unpacker& unpacker : unpackers())
        if (begin.starts_with(unpacker.begins)) return unpacker.packing;
    return Packing::none;
}

Input::Input(std::string path, std::stop_token stop, std::function<void()> tell)
    : path_(std::move(path)), stop_(std::move(stop)), tell_(std::move(tell)) {
    const Packing packing = packing_of(path_);
    for (const Unpacker& unpacker : unpackers()) {
        if (unpacker.packing != packing) continue;
        std::vector<std::string> argv = unpacker.argv;
        program_ = argv[0];
        // Not to be taken for a flag; pg_restore has no "--".
        argv.push_back(path_.starts_with('-') ? "./" + path_ : path_);
        child_ = std::make_unique<ChildProcess>(std::move(argv), ChildProcess::Variables{}, unpacker.hint);
        return;
    }
    file_.reset(std::fopen(path_.c_str(), "rbe"));
    if (!file_) throw unreadable(path_);
}

std::size_t Input::read(char* into, std::size_t size) {
    if (stop_.stop_requested()) throw Interrupted{};
    return child_ ? read_child(into, size) : read_file(into, size);
}

std::size_t Input::read_file(char* into, std::size_t size) {
    const std::size_t count = std::fread(into, 1, size, file_.get());
    if (count == 0 && std::ferror(file_.get()) != 0) throw unreadable(path_);
    return count;
}

std::size_t Input::read_child(char* into, std::size_t size) {
    if (program_.empty()) return 0;  // it has ended
    const std::size_t count = child_->read(into, size, stop_, tell_);
    if (count > 0) return count;
    const std::string program = std::exchange(program_, "");
    if (!succeeded(child_->wait()))
        throw stop_error(
            fmt::format("unable to read dump '{}': {} failed: {}", path_, program, in_one_line(child_->errors())),
            program == "pg_restore" ? postgres_hint : "");
    return 0;
}

}  // namespace pgsluice::dump
