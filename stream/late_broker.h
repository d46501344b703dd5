// A connection to NATS that is made when it is first needed, and then kept.
#pragma once

#include <memory>
#include <stop_token>
#include <utility>

#include "stream/base/log.h"
#include "stream/broker.h"

namespace pgsluice {

class LateBroker {
   public:
    LateBroker(BrokerOptions nats, Log log, std::stop_token stop)
        : nats_(std::move(nats)), log_(std::move(log)), stop_(std::move(stop)) {}

    // `first` is done once: when it fails, the next call begins again.
    template <typename First>
    Broker& get(First first) {
        if (broker_ == nullptr) {
            auto broker = Broker::connect(nats_, log_, stop_);
            first(*broker);
            broker_ = std::move(broker);
        }
        return *broker_;
    }
    Broker& get() {
        return get([](Broker&) {});
    }

   private:
    BrokerOptions nats_;
    Log log_;
    std::stop_token stop_;
    std::unique_ptr<Broker> broker_;
};

}  // namespace pgsluice
