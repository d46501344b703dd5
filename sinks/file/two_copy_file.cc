#include "sinks/file/two_copy_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace pgsluice {

namespace {

constexpr std::size_t copy_bytes = 1024;
constexpr const char* number_field = "number";

}  // namespace

TwoCopyFile::TwoCopyFile(std::string path, const std::string& what)
    : path_(std::move(path)), file_(lock_file(path_, what)) {
    // Its space is taken now, so that a full disk cannot keep a later checkpoint from being written.
    const int error = ::posix_fallocate(file_.get(), 0, 2 * copy_bytes);
    if (error != 0) {
        errno = error;
        throw io_error("make room in", path_);
    }
}

std::optional<StateRecord> TwoCopyFile::read() {
    const std::string text = read_small_file(file_, path_);
    std::optional<StateRecord> newest;
    for (std::size_t copy = 0; copy < 2; ++copy) {
        auto record = parse_state(std::string_view(text).substr(copy * copy_bytes, copy_bytes));
        if (record && (!newest || record->number(number_field) > number_)) {
            number_ = record->number(number_field);
            newest = std::move(record);
        }
    }
    // A record torn by the very first write leaves the second copy as it was made: nothing had been promised yet.
    const bool second_used = text.find_first_not_of('\0', copy_bytes) != std::string::npos;
    if (!newest && second_used) {
        throw stop_error("unable to read '" + path_ + "': neither of its records is whole",
                         "Restore it from a backup, or give the worker an empty directory.");
    }
    return newest;
}

void TwoCopyFile::write(StateRecord record) {
    record.more[number_field] = std::to_string(number_ + 1);
    std::string text = to_text(record);
    if (text.size() > copy_bytes) throw std::logic_error("a sink's state does not fit its copy");
    text.resize(copy_bytes, ' ');
    const off_t offset = number_ % 2 == 0 ? 0 : copy_bytes;
    const ssize_t written = ::pwrite(file_.get(), text.data(), text.size(), offset);
    if (written != static_cast<ssize_t>(text.size())) throw io_error("write", path_);
    sync_file(file_, path_);
    ++number_;
}

}  // namespace pgsluice
