// Where `pgsluice run` answers over HTTP for all that it runs: the pages of endpoint.h, with one group's figures after
// another's.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "cmd/http/listen_address.h"
#include "cmd/http/options.h"
#include "cmd/http/server.h"
#include "cmd/http/view.h"
#include "cmd/page/board.h"

namespace pgsluice {

// Any thread.
class SharedEndpoint {
   public:
    // Looks at all views once a second, or less often when they are many, from a thread of its own.
    SharedEndpoint(const ListenAddress& address, const HttpOptions& options, Log log);
    SharedEndpoint(const SharedEndpoint&) = delete;
    SharedEndpoint& operator=(const SharedEndpoint&) = delete;

    // The view of the part of that name; one that was added before is replaced.
    void add(const std::string& name, std::unique_ptr<View> view, const BrokerOptions& nats, const Names& names);
    // The part stays stopped.
    void stopped(const std::string& name, const std::string& why);

   private:
    struct Observed {
        std::shared_ptr<View> view;  // null: it stopped before it had any
        std::shared_ptr<StreamObserver> observer;
        std::string stopped;  // why
    };
    [[nodiscard]] std::map<std::string, Observed> all() const;
    [[nodiscard]] HttpRoutes routes() const;
    [[nodiscard]] HttpAnswer metrics() const;
    [[nodiscard]] HttpAnswer status(const std::string& group) const;
    [[nodiscard]] HttpAnswer readiness() const;
    [[nodiscard]] std::string not_ready() const;
    [[nodiscard]] PageProcess page(const HttpOptions& options) const;
    [[nodiscard]] std::string rows(const std::string& group) const;
    void watch(const std::stop_token& stop);
    void look_at_all(const std::map<std::string, Observed>& parts, const std::stop_token& stop);
    std::optional<GroupHealth> look(const Observed& one, const std::stop_token& stop);

    const Log log_;
    mutable std::mutex mutex_;
    std::map<std::string, Observed> parts_;
    Board board_;
    HttpServer server_;
    std::jthread thread_;  // last: it uses all of the above
};

}  // namespace pgsluice
