// The streams of a NATS account, whoever they belong to: for looking at all groups.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "stream/broker.h"

namespace pgsluice {

class StreamCatalog {
   public:
    // A connection of its own; throws as Broker::connect() does.
    StreamCatalog(const BrokerOptions& options, Log log, std::stop_token stop);
    ~StreamCatalog();
    StreamCatalog(const StreamCatalog&) = delete;
    StreamCatalog& operator=(const StreamCatalog&) = delete;

    // The groups that have a stream, by name. Needs the permission to publish to $JS.API.STREAM.NAMES.
    [[nodiscard]] std::vector<std::string> groups() const;

   private:
    std::unique_ptr<nats::Link> link_;
};

}  // namespace pgsluice
