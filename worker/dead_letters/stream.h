// Parks changes that a sink refuses in the group's dead-letter stream, one message each (letter.h).
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "sinks/dead_letters.h"
#include "stream/base/log.h"
#include "stream/broker.h"
#include "stream/late_broker.h"
#include "stream/names.h"

namespace pgsluice {

class DeadLetterStream : public DeadLetters {
   public:
    // Connects when the first change is parked.
    DeadLetterStream(BrokerOptions nats, Names names, std::string worker, Log log, std::stop_token stop);

    void park(const Change& change, std::string_view reason, std::uint64_t reload) override;

   private:
    Names names_;
    std::string worker_;
    Log log_;
    LateBroker broker_;
};

}  // namespace pgsluice
