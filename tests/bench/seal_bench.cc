// What sealing and opening a message's body takes of a processor, by its size.
//
//     seal_bench
#include <fmt/format.h>
#include <time.h>

#include <string>

#include "stream/seal/sealed_body.h"

using namespace pgsluice;

namespace {

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

void measure(std::size_t size, std::uint64_t count) {
    const StreamKey key{"k1", {}};
    const std::string body(size, 'x');
    Sealer sealer(key, "0011223344556677");
    Opener opener;
    const MessageMeta meta{MessageKind::changes, {Lsn{0x16B2D50}, 12}, Lsn{0x16B2D80}};
    double sealing = 0;
    double opening = 0;
    for (std::uint64_t i = 1; i <= count; ++i) {
        const SealPlace place{"pgsluice_shop", "pgsluice.shop.changes", {i}};
        auto start = cpu_seconds();
        std::string sealed = sealer.seal(place, message_headers(meta, nullptr, {}), body);
        sealing += cpu_seconds() - start;
        start = cpu_seconds();
        if (!opener.open(key, sealer.header(), place, message_headers(meta, nullptr, {}), sealed.data(), sealed.size()))
            fmt::print("does not open\n");
        opening += cpu_seconds() - start;
    }
    const auto messages = static_cast<double>(count);
    fmt::print("{:>7} B  seal {:>7.2f} us {:>6.0f} MB/s   open {:>7.2f} us {:>6.0f} MB/s\n", size,
               sealing / messages * 1e6, messages * static_cast<double>(size) / sealing / 1e6, opening / messages * 1e6,
               messages * static_cast<double>(size) / opening / 1e6);
}

}  // namespace

int main() {
    for (const std::size_t size : {300UL, 4096UL, 32768UL, 131072UL}) measure(size, size < 10000 ? 200000 : 20000);
}
