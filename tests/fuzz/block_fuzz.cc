// Any bytes are a block or a stop Error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sql/error.h"
#include "stream/format/block_reader.h"
#include "stream/format/markers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static pgsluice::BlockReader reader;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    try {
        const auto block = reader.read(body);
        // Touch every byte a view names, so that the sanitizer sees them all.
        unsigned sum = 0;
        for (const auto& change : block->changes) {
            for (const auto& value : change.new_row) {
                for (const char c : value.text()) sum += static_cast<unsigned char>(c);
            }
            for (const auto& value : change.old_row) {
                for (const char c : value.text()) sum += static_cast<unsigned char>(c);
            }
            for (const char c : change.content) sum += static_cast<unsigned char>(c);
        }
        if (sum == 0xffffffff) std::abort();
    } catch (const pgsluice::Error& error) {
        if (error.action() != pgsluice::Action::stop) std::abort();
    }
    try {
        pgsluice::decode_snapshot_begin(body);
    } catch (const pgsluice::Error& error) {
        if (error.action() != pgsluice::Action::stop) std::abort();
    }
    return 0;
}
