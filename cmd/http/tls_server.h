// A server that speaks TLS.
#pragma once

#include <memory>

#include "cmd/http/options.h"

namespace httplib {
class Server;
}

namespace pgsluice {

// TLS 1.2 or later, with the certificate and key of `options`. A stop Error when they cannot be used.
std::unique_ptr<httplib::Server> tls_server(const HttpOptions& options);

}  // namespace pgsluice
