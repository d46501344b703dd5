#include "worker/dead_letters/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "sql/error.h"
#include "worker/dead_letters/letter.h"

namespace pgsluice {

namespace {

// Headers are lines.
std::string one_line(std::string_view text) {
    std::string out(text);
    std::replace_if(
        out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    return out;
}

std::string table_of(const Change& change) {
    return change.relation == nullptr
               ? ""
               : fmt::format(" of table '{}.{}'", change.relation->schema, change.relation->table);
}

// As the server counts: a first line, each header as a line `name: value\r\n`, then an empty line.
void refuse_too_large(const Change& change, const std::string& block,
                      const std::vector<std::pair<std::string, std::string>>& headers, std::uint64_t max_payload) {
    std::uint64_t size = block.size() + std::string_view("NATS/1.0\r\n\r\n").size();
    std::string_view reason;
    for (const auto& [name, value] : headers) {
        size += name.size() + value.size() + 4;
        if (name == dead_letter_reason_header) reason = value;
    }
    if (size <= max_payload) return;
    throw stop_error(
        fmt::format("unable to park a change{} at {}: its {} bytes exceed nats-server's max_payload of {}; the sink "
                    "refused it because: {}",
                    table_of(change), to_string(change.position), size, max_payload, reason),
        fmt::format("Set max_payload in nats-server's configuration above {}, or fix what refuses the change.", size));
}

}  // namespace

DeadLetterStream::DeadLetterStream(BrokerOptions nats, Names names, std::string worker, Log log, std::stop_token stop)
    : names_(std::move(names)),
      worker_(std::move(worker)),
      log_(std::move(log)),
      broker_(std::move(nats), log_, std::move(stop)) {}

void DeadLetterStream::park(const Change& change, std::string_view reason, std::uint64_t reload) {
    Broker& broker = broker_.get([&](Broker& connected) { connected.ensure_dead_letters(names_); });
    const std::string position = to_string(change.position);
    std::vector<std::pair<std::string, std::string>> headers{{dead_letter_worker_header, worker_},
                                                             {dead_letter_position_header, position},
                                                             {dead_letter_reason_header, one_line(reason)}};
    if (change.snapshot) headers.emplace_back(dead_letter_snapshot_header, "true");
    if (reload > 0) headers.emplace_back(dead_letter_reload_header, std::to_string(reload));
    const std::string block = encode_dead_letter(change);
    refuse_too_large(change, block, headers, broker.max_payload());
    broker.publish_dead_letter(names_, block, headers);
    log_(LogLevel::warning, fmt::format("parked a change{} at {} in stream '{}': {}", table_of(change), position,
                                        names_.dead_letters, reason));
}

}  // namespace pgsluice
