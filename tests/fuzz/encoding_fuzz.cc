// Any bytes are one zstd frame, of no more content than it says and than a message can hold, or they are refused; what
// is compressed comes back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "stream/format/body_encoding.h"
#include "tests/fuzz/seeds.h"

using namespace pgsluice;

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    BodyEncoder encoder(1);
    std::string rows;
    while (rows.size() < 3000) rows += std::to_string(rows.size()) + "\tada@example.com\t\\N\n";
    std::string claims("\x28\xb5\x2f\xfd\xe0\x00\xe8\x76\x48\x17\x00\x00\x00\x09\x00\x00x", 17);  // 100 GB
    fuzz::add_seeds(argc, argv, {rows, std::string(encoder.compress(rows).value()), claims});
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static BodyEncoder encoder(1);
    static BodyDecoder decoder;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    std::string why;
    if (const auto plain = decoder.decode(BodyEncoding::zstd, body, why)) {
        if (plain->text.size() > most_content_bytes) std::abort();
        unsigned sum = 0;  // the sanitizer sees every byte
        for (const char c : plain->text) sum += static_cast<unsigned char>(c);
        if (sum == 0xffffffff) std::abort();
    } else if (why.empty()) {
        std::abort();
    }
    if (const auto frame = encoder.compress(body)) {
        const auto again = decoder.decode(BodyEncoding::zstd, *frame, why);
        if (!again || again->text != body) std::abort();
    }
    return 0;
}
