// The keys that a group's stream is sealed with: --stream-key-file.
//
//   # made by: echo "k1:$(openssl rand -base64 32)"
//   k2:<32 bytes as base64>
//   k1:<32 bytes as base64>
//
// The first seals, all open. Empty lines and lines that begin with # count for nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stream/seal/cipher.h"

namespace pgsluice {

struct StreamKey {
    std::string id;  // 1 to 40 of a-z 0-9 _ -
    SecretKey secret{};
};

class StreamKeys {
   public:
    // A usage Error when the file cannot be read, is none, or may be read or written by others.
    static StreamKeys load(const std::string& file);
    static StreamKeys parse(std::string_view text, const std::string& file);

    [[nodiscard]] const StreamKey& first() const noexcept { return keys_.front(); }
    // Null when it is not there.
    [[nodiscard]] const StreamKey* find(std::string_view id) const noexcept;
    [[nodiscard]] const std::string& file() const noexcept { return file_; }

   private:
    std::string file_;
    std::vector<StreamKey> keys_;  // at least one
};

}  // namespace pgsluice
