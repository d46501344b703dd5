// Bodies as they are stored and as they are read (FORMAT.md, "Compressed bodies"). Knows no broker.
//
// A compressed body is one zstd frame that says how long its content is, so that no more memory is taken than that, and
// never more than a message of NATS can hold.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "stream/message.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace pgsluice {

// No smaller body is compressed: there is little to save, and reading it would take as long as reading a larger one.
inline constexpr std::size_t least_compressed_bytes = 1024;
// nats-server takes no message, and so no replicator sends a body or a part of one, that is larger.
inline constexpr std::size_t most_content_bytes = 64UL << 20;

// One thread at a time.
class BodyEncoder {
   public:
    // zstd's, from 1 to 19.
    explicit BodyEncoder(int zstd_level);

    // The body as a zstd frame, valid until the next call; nothing where that would save less than an eighth of it.
    std::optional<std::string_view> compress(std::string_view body);

   private:
    std::unique_ptr<ZSTD_CCtx_s, void (*)(ZSTD_CCtx_s*) noexcept> context_;
    std::string frame_;
};

struct PlainBody {
    std::string_view text;
    MessageOwner owner;  // keeps the text alive; null: whoever has what was decoded does
};

// The one place where what an encoding says of a body is undone. One thread at a time.
class BodyDecoder {
   public:
    BodyDecoder();

    // Nothing when the body is not what its encoding says, or its content is too large; `why` says which.
    std::optional<PlainBody> decode(BodyEncoding encoding, std::string_view body, std::string& why);

   private:
    std::optional<PlainBody> decompress(std::string_view frame, std::string& why);

    std::unique_ptr<ZSTD_DCtx_s, void (*)(ZSTD_DCtx_s*) noexcept> context_;  // once one is needed
};

}  // namespace pgsluice
