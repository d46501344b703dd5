// Answers GET requests while a replicator or worker runs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "cmd/http/access.h"
#include "cmd/http/listen_address.h"
#include "cmd/http/options.h"
#include "stream/log.h"

namespace pgsluice {

struct HttpAnswer {
    int status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body;
};

// By path. Called from the server's threads, several at a time; must not wait for a network.
using HttpRoutes = std::map<std::string, std::function<HttpAnswer()>>;

// Listens once it is constructed, on threads of its own: one that accepts and a few that answer. Each connection is for
// one request, and a client that is slow is cut off, so that none holds up others for long. Without the
// token, where there is one, only what is_open() is answered. A stop Error when the address cannot be listened on, or
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
