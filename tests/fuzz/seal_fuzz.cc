// Any bytes are a key file, a record of a sealed stream, a seal's header and a signed value, or they are none.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sql/error.h"
#include "stream/seal/seal_record.h"
#include "stream/seal/sealed_body.h"
#include "stream/seal/signed_value.h"
#include "stream/seal/stream_keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pgsluice;
    static const StreamKey key{"k1", {}};
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        if (StreamKeys::parse(text, "keys").first().id.empty()) std::abort();
    } catch (const Error& error) {
        if (error.action() != Action::usage) std::abort();
    }
    try {
        const SealRecord record = decode_seal_record(text);
        if (!(decode_seal_record(encode(record)) == record)) std::abort();
    } catch (const Error& error) {
        if (error.action() != Action::stop) std::abort();
    }
    if (const auto seal = parse_seal_header(text)) {
        if (to_text(*seal) != text) std::abort();
        std::string body(text);
        if (Opener().open(key, *seal, {"s", "t", {1}}, {}, body.data(), body.size())) std::abort();
    }
    if (const auto value = split_value(text); value && is_authentic(key, {"b", "k"}, *value)) std::abort();
    return 0;
}
