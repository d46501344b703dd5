// Answers GET requests while a replicator or worker runs.
#pragma once

#include <memory>

#include "cmd/http/listen_address.h"
#include "cmd/http/options.h"
#include "cmd/http/routes.h"
#include "stream/base/log.h"

namespace pgsluice {

// Listens once it is constructed, on threads of its own: one that accepts and a few that answer. Each connection is for
// one request, and a client that is slow is cut off, so that none holds up others for long. Without the
// token, where there is one, only what is_open() (access.h) is answered; who shows it in the login form gets a cookie
// that counts as the token. A stop Error when the address cannot be listened on, or
// the certificate not be used.
class HttpServer {
   public:
    HttpServer(const ListenAddress& address, const HttpOptions& options, HttpRoutes routes, const Log& log);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

   private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace pgsluice
