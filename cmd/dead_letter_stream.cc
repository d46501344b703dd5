#include "cmd/dead_letter_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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

}  // namespace

std::string encode_dead_letter(const Change& change) {
    Transaction transaction;
    if (change.transaction != nullptr) transaction = *change.transaction;
    transaction.commit_lsn = change.position.commit;
    Change alone = change;
    alone.transaction = &transaction;
    BlockWriter writer;
    writer.begin(transaction);
    writer.change(alone);
    return std::string(writer.finish());
}

DeadLetterStream::DeadLetterStream(BrokerOptions nats, Names names, std::string worker, Log log, std::stop_token stop)
    : nats_(std::move(nats)),
      names_(std::move(names)),
      worker_(std::move(worker)),
      log_(std::move(log)),
      stop_(std::move(stop)) {}

void DeadLetterStream::park(const Change& change, std::string_view reason) {
    if (broker_ == nullptr) {
        auto broker = Broker::connect(nats_, log_, stop_);
        broker->ensure_dead_letters(names_);
        broker_ = std::move(broker);
    }
    const std::string position = to_string(change.position);
    broker_->publish_one(names_.dead_letter_subject, encode_dead_letter(change),
                         {{dead_letter_worker_header, worker_},
                          {dead_letter_position_header, position},
                          {dead_letter_reason_header, one_line(reason)}});
    log_(LogLevel::warning, fmt::format("parked a change{} at {} in stream '{}': {}", table_of(change), position,
                                        names_.dead_letters, reason));
}

}  // namespace pgsluice
