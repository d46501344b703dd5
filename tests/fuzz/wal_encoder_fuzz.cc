// Any run of well-formed or broken pgoutput messages, also of running transactions, either is refused with an Error or
// becomes a block that reads back. The input is a run of messages, each behind two bytes of length.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "replicator/wal/encoder.h"
#include "replicator/wal/open_transactions.h"
#include "sql/error.h"
#include "stream/format/block_reader.h"

using namespace pgsluice;

namespace {

void read_back(WalEncoder& encoder) {
    if (encoder.size() == 0) return;
    const auto block = encoder.finish();
    try {
        BlockReader().read(block.body);
    } catch (const Error&) {
        std::abort();  // what we wrote must be readable
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    WalEncoder encoder({}, {});
    OpenTransactions open({}, std::size_t{1} << 20);  // in memory
    try {
        while (input.size() >= 2) {
            const std::size_t high = static_cast<unsigned char>(input[0]);
            std::size_t length = high << 8 | static_cast<unsigned char>(input[1]);
            input.remove_prefix(2);
            length = length < input.size() ? length : input.size();
            const std::string message(input.substr(0, length));
            input.remove_prefix(length);
            if (!open.take(message)) encoder.take(message);
            while (const auto next = open.next()) encoder.take(*next);
            if (high & 1) read_back(encoder);
        }
    } catch (const Error&) {
    }
    read_back(encoder);
    return 0;
}
