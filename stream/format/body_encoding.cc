#include "stream/format/body_encoding.h"

#include <fmt/format.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <new>
#include <stdexcept>

namespace pgsluice {

namespace {

void free_encoder(ZSTD_CCtx* context) noexcept { ZSTD_freeCCtx(context); }
void free_decoder(ZSTD_DCtx* context) noexcept { ZSTD_freeDCtx(context); }

template <typename Context>
Context* made(Context* context) {
    if (context == nullptr) throw std::bad_alloc();
    return context;
}

}  // namespace

BodyEncoder::BodyEncoder(int zstd_level) : context_(made(ZSTD_createCCtx()), &free_encoder) {
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, zstd_level);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
}

std::optional<std::string_view> BodyEncoder::compress(std::string_view body) {
    if (body.size() < least_compressed_bytes) return std::nullopt;
    const std::size_t room = body.size() - body.size() / 8;
    if (frame_.size() < room) frame_.resize(room);
    const std::size_t size = ZSTD_compress2(context_.get(), frame_.data(), room, body.data(), body.size());
    if (ZSTD_isError(size) == 0) return std::string_view(frame_.data(), size);
    if (ZSTD_getErrorCode(size) == ZSTD_error_dstSize_tooSmall) return std::nullopt;
    if (ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation) throw std::bad_alloc();
    throw std::logic_error(ZSTD_getErrorName(size));
}

BodyDecoder::BodyDecoder() : context_(nullptr, &free_decoder) {}

std::optional<PlainBody> BodyDecoder::decode(BodyEncoding encoding, std::string_view body, std::string& why) {
    return encoding == BodyEncoding::none ? PlainBody{body, nullptr} : decompress(body, why);
}

// The size is looked at before anything is allocated: whoever may publish may claim any.
std::optional<PlainBody> BodyDecoder::decompress(std::string_view frame, std::string& why) {
    const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
    const bool one_frame = ZSTD_findFrameCompressedSize(frame.data(), frame.size()) == frame.size();
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || !one_frame) {
        why = "its body is not one zstd frame that says how long its content is";
        return std::nullopt;
    }
    if (size > most_content_bytes) {
        why = fmt::format("the content of its body would be {} bytes long, and no message holds more than {}", size,
                          most_content_bytes);
        return std::nullopt;
    }
    if (!context_) context_.reset(made(ZSTD_createDCtx()));
    auto content = std::make_shared_for_overwrite<char[]>(size);
    const std::size_t got = ZSTD_decompressDCtx(context_.get(), content.get(), size, frame.data(), frame.size());
    if (ZSTD_isError(got) != 0 || got != size) {
        why = "its body cannot be decompressed";
        return std::nullopt;
    }
    return PlainBody{{content.get(), size}, MessageOwner(content, content.get())};
}

}  // namespace pgsluice
