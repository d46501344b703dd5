// Compressed bodies: what is compressed and comes back, and frames that are not what they say.
#include "stream/format/body_encoding.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>
#include <string>

#include "sql/error.h"
#include "stream/base/hex.h"
#include "stream/format/headers.h"
#include "tests/support/text.h"

using namespace pgsluice;
using test::contains;

namespace {

std::string rows(std::size_t bytes) {
    std::string text;
    for (int i = 0; text.size() < bytes; ++i)
        text += fmt::format("{}\tuser number {}\t{{\"city\": \"c7\"}}\t\\N\n", i, i);
    return text;
}

std::string noise(std::size_t bytes) {
    std::mt19937 random(7);
    std::string text(bytes, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
}

std::string frame_of(const std::string& body, int level = 1) {
    return std::string(BodyEncoder(level).compress(body).value());
}

std::optional<std::string> content_of(std::string_view frame, std::string& why) {
    const auto plain = BodyDecoder().decode(BodyEncoding::zstd, frame, why);
    return plain ? std::optional(std::string(plain->text)) : std::nullopt;
}

std::string refusal(std::string_view frame) {
    std::string why;
    CHECK_FALSE(content_of(frame, why));
    return why;
}

// RFC 8878, 3.1.1: one raw block of one byte, and `size` as the length of the content.
std::string frame_that_claims(std::uint64_t size) {
    std::string frame("\x28\xb5\x2f\xfd\xe0", 5);
    for (int shift = 0; shift < 64; shift += 8) frame += static_cast<char>(size >> shift);
    return frame + std::string("\x09\x00\x00x", 4);
}

}  // namespace

TEST_CASE("bodies come back as they were, at every level, and one after the other") {
    BodyDecoder decoder;
    for (const int level : {1, 3, 9, 19}) {
        BodyEncoder encoder(level);
        for (const std::size_t bytes : {least_compressed_bytes, std::size_t{5000}, std::size_t{128 * 1024}}) {
            const std::string body = rows(bytes);
            const auto frame = encoder.compress(body);
            REQUIRE(frame);
            CHECK(frame->size() < body.size() / 2);
            std::string why;
            const auto plain = decoder.decode(BodyEncoding::zstd, *frame, why);
            REQUIRE(plain);
            CHECK(plain->text == body);
            CHECK(plain->owner != nullptr);
        }
    }
}

TEST_CASE("what is small, or would hardly be smaller, is left as it is") {
    BodyEncoder encoder(1);
    CHECK_FALSE(encoder.compress(rows(least_compressed_bytes).substr(0, least_compressed_bytes - 1)));
    CHECK_FALSE(encoder.compress(""));
    CHECK_FALSE(encoder.compress(noise(100'000)));
    CHECK(encoder.compress(rows(2000)));  // and then works as before
    std::string why;
    const std::string body = "[]";
    const auto plain = BodyDecoder().decode(BodyEncoding::none, body, why);
    CHECK(plain->text.data() == body.data());
    CHECK(plain->owner == nullptr);
}

TEST_CASE("a frame that claims more than a message can hold is refused before anything is taken for it") {
    std::string why;
    CHECK(content_of(frame_that_claims(1), why) == "x");
    CHECK(contains(refusal(frame_that_claims(100'000'000'000)), "would be 100000000000 bytes long"));
    CHECK(contains(refusal(frame_that_claims(most_content_bytes + 1)), "would be"));
    CHECK(contains(refusal(frame_that_claims(most_content_bytes)), "cannot be decompressed"));
    CHECK(contains(refusal(frame_that_claims(0)), "cannot be decompressed"));
}

TEST_CASE("what is not one whole frame, or was changed, is refused") {
    const std::string frame = frame_of(rows(3000));
    for (std::size_t size = 0; size < frame.size(); ++size) CHECK_FALSE(refusal(frame.substr(0, size)).empty());
    CHECK(contains(refusal(frame + "x"), "not one zstd frame"));
    CHECK(contains(refusal(frame + frame), "not one zstd frame"));
    for (std::size_t i = 0; i < frame.size(); ++i) {
        std::string changed = frame;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        std::string why;
        const auto content = content_of(changed, why);
        CHECK((!content || *content == rows(3000)));  // a bit that says nothing about the content
    }
    std::string without_length;  // echo -n ... | zstd
    without_length.resize(9);
    REQUIRE(decode_hex("28b52ffd0458ed0100", without_length.data()));
    CHECK(contains(refusal(without_length), "not one zstd frame"));
}

TEST_CASE("the headers of an encoded body: an earlier build finds no kind in them") {
    const auto find_in = [](const HeaderList& list) {
        return [&list](const char* name) -> const char* {
            for (const auto& [key, value] : list)
                if (std::string_view(key) == name) return value.c_str();
            return nullptr;
        };
    };
    const auto why_not = [&](const HeaderList& list) -> std::string {
        try {
            parse_headers(find_in(list), "it");
        } catch (const Error& error) {
            return error.what();
        }
        return {};
    };
    const MessageMeta meta{MessageKind::changes, {Lsn{9}, 1}, Lsn{9}};
    HeaderList list = message_headers(meta, nullptr, {2, 3}, StreamSeq{4}, BodyEncoding::zstd);
    const ParsedHeaders parsed = parse_headers(find_in(list), "it");
    CHECK(parsed.meta == meta);
    CHECK(parsed.encoding == BodyEncoding::zstd);
    CHECK(parsed.part == MessagePart{2, 3});
    CHECK(find_in(list)("Pgsluice-Kind") == nullptr);

    HeaderList as_before = list;
    std::erase_if(as_before, [](const auto& header) { return std::string_view(header.first) == "Pgsluice-Encoding"; });
    CHECK(why_not(as_before) == "unable to read it: header 'Pgsluice-Kind' is missing");
    const auto with = [&](std::string_view name, const std::string& value) {
        HeaderList other = list;
        for (auto& [key, text] : other)
            if (key == name) text = value;
        return why_not(other);
    };
    CHECK(contains(with("Pgsluice-Encoding", "lz4"), "'Pgsluice-Encoding' is of a kind this version does not know"));
    CHECK(contains(with("Pgsluice-Encoded-Kind", "batches"), "of a kind this version does not know"));
    CHECK(
        contains(with("Pgsluice-Encoded-Kind", "group"), "'Pgsluice-Encoded-Kind' is of a kind that is never encoded"));
}
