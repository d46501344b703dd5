#include "sinks/file/line_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <stdexcept>

#include "stream/base/failpoint.h"

namespace pgsluice {

namespace {

constexpr int zstd_level = 3;

void free_context(ZSTD_CCtx* context) noexcept { ZSTD_freeCCtx(context); }

ZSTD_CCtx* make_context() {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    if (context == nullptr) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, zstd_level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    return context;
}

}  // namespace

LineFile::LineFile(std::string path, bool zstd, Fd file, std::uint64_t length)
    : path_(std::move(path)),
      file_(std::move(file)),
      written_(length),
      zstd_(zstd ? make_context() : nullptr, &free_context) {
    if (zstd) compressed_.resize(ZSTD_CStreamOutSize());
}

LineFile LineFile::create(std::string path, bool zstd) {
    Fd file = open_file(path, O_WRONLY | O_CREAT | O_EXCL);
    return {std::move(path), zstd, std::move(file), 0};
}

LineFile LineFile::resume(std::string path, bool zstd, std::uint64_t length) {
    Fd file = open_file(path, O_WRONLY);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw io_error("read", path);
    if (static_cast<std::uint64_t>(status.st_size) < length) {
        throw stop_error("unable to continue '" + path + "': it is shorter than its checkpoint says",
                         "It was changed from outside. Restore it, or give the worker an empty directory.");
    }
    const auto end = static_cast<off_t>(length);
    if (::ftruncate(file.get(), end) != 0 || ::lseek(file.get(), end, SEEK_SET) != end) throw io_error("cut", path);
    return {std::move(path), zstd, std::move(file), length};
}

void LineFile::write() {
    if (lines_.empty()) return;
    if (zstd_ != nullptr) {
        compress(lines_, false);
    } else {
        put(lines_);
    }
    lines_.clear();
}

void LineFile::end_frame() {
    write();
    if (frame_open_) compress({}, true);
}

void LineFile::compress(std::string_view text, bool end) {
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    for (bool done = false; !done;) {
        ZSTD_outBuffer out{compressed_.data(), compressed_.size(), 0};
        const std::size_t left = ZSTD_compressStream2(zstd_.get(), &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left) != 0) throw std::logic_error(ZSTD_getErrorName(left));
        put(std::string_view(compressed_.data(), out.pos));
        done = end ? left == 0 : in.pos == in.size;
    }
    frame_open_ = !end;
}

void LineFile::put(std::string_view bytes) {
    if (bytes.empty()) return;
    PGSLUICE_FAILPOINT("file-write");
    write_all(file_, bytes, path_);
    written_ += bytes.size();
}

}  // namespace pgsluice
