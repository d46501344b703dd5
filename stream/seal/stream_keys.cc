#include "stream/seal/stream_keys.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "sql/error.h"
#include "stream/process/text_file.h"

namespace pgsluice {

namespace {

constexpr const char* make_hint =
    "Make one with: (umask 077; echo \"k1:$(openssl rand -base64 32)\" > stream.key). Keep it safe: without it the "
    "stream cannot be read.";

// No message holds a line: it is, or was meant to be, a secret.
Error bad_file(const std::string& file, const std::string& reason) {
    return usage_error(fmt::format("unable to use --stream-key-file '{}': {}", file, reason), make_hint);
}

bool is_id(std::string_view id) {
    return !id.empty() && id.size() <= 40 &&
           id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

std::string_view trimmed(std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    return line;
}

void refuse_open_file(const std::string& file) {
    struct stat found {};
    if (::stat(file.c_str(), &found) != 0) return;  // reading it says why
    if ((found.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0)
        throw usage_error(fmt::format("unable to use --stream-key-file '{}': others may read or write it", file),
                          fmt::format("Run chmod 600 {}.", file));
}

}  // namespace

StreamKeys StreamKeys::load(const std::string& file) {
    refuse_open_file(file);
    const auto text = read_text_file(file);
    if (!text) throw bad_file(file, "it cannot be read");
    return parse(*text, file);
}

StreamKeys StreamKeys::parse(std::string_view text, const std::string& file) {
    StreamKeys keys;
    keys.file_ = file;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.starts_with('#')) continue;
        const auto colon = std::min(line.find(':'), line.size());
        const auto secret = decode_base64(line.substr(std::min(colon + 1, line.size())));
        StreamKey key{std::string(line.substr(0, colon))};
        if (colon == line.size() || !is_id(key.id) || !secret || secret->size() != key.secret.size())
            throw bad_file(file, fmt::format("line {} is not an id of 1 to 40 of a-z 0-9 _ -, a colon and 32 bytes as "
                                             "base64",
                                             number));
        if (keys.find(key.id) != nullptr) throw bad_file(file, fmt::format("it has two keys '{}'", key.id));
        std::copy(secret->begin(), secret->end(), key.secret.begin());
        keys.keys_.push_back(std::move(key));
    }
    if (keys.keys_.empty()) throw bad_file(file, "it holds no key");
    return keys;
}

const StreamKey* StreamKeys::find(std::string_view id) const noexcept {
    const auto found = std::ranges::find(keys_, id, &StreamKey::id);
    return found == keys_.end() ? nullptr : &*found;
}

}  // namespace pgsluice
