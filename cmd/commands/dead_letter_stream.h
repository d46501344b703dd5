// Parks changes that a sink refuses in the group's dead-letter stream.
//
// One message per change: the body is a block of that change alone (stream/format/FORMAT.md), as the rules left it; the
// headers say who parked it and why.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "sinks/dead_letters.h"
#include "stream/broker.h"
#include "stream/format/block_writer.h"
#include "stream/log.h"
#include "stream/names.h"

namespace pgsluice {

inline constexpr const char* dead_letter_worker_header = "Pgsluice-Worker";
inline constexpr const char* dead_letter_position_header = "Pgsluice-Position";
inline constexpr const char* dead_letter_reason_header = "Pgsluice-Reason";      // one line
inline constexpr const char* dead_letter_snapshot_header = "Pgsluice-Snapshot";  // "true": a row of the snapshot

// The body. A row of the snapshot has no transaction; its block gives it one at its position, and the snapshot header
// says that the transaction is made up.
std::string encode_dead_letter(const Change& change);

class DeadLetterStream : public DeadLetters {
   public:
    // Connects when the first change is parked.
    DeadLetterStream(BrokerOptions nats, Names names, std::string worker, Log log, std::stop_token stop);

    void park(const Change& change, std::string_view reason) override;

   private:
    BrokerOptions nats_;
    Names names_;
    std::string worker_;
    Log log_;
    std::stop_token stop_;
    std::unique_ptr<Broker> broker_;
};

}  // namespace pgsluice
