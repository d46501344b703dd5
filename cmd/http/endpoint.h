// Where a replicator or worker answers over HTTP: the page, /metrics, /status, /healthz, /readyz. Off unless
// --http-listen is given.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "cmd/http/listen_address.h"
#include "cmd/http/options.h"
#include "cmd/http/server.h"
#include "cmd/http/view.h"
#include "cmd/page/board.h"

namespace pgsluice {

class Endpoint {
   public:
    // Looks at the view once a second from a thread of its own, until it is destroyed.
    Endpoint(const ListenAddress& address, const HttpOptions& options, std::unique_ptr<View> view, BrokerOptions nats,
             Names names, Log log);

   private:
    void watch(const std::stop_token& stop);

    const std::unique_ptr<View> view_;
    Board board_;
    StreamObserver observer_;
    const Log log_;
    HttpServer server_;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pgsluice
