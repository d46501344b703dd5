// A request to a process's own HTTP server, as a container's health check makes it.
#pragma once

#include <string>

#include "cmd/http/listen_address.h"

namespace pgsluice {

struct ProbeAnswer {
    bool well = false;  // 200
    std::string body;
};

// Of a process that listens at `address`: where that is all addresses, this machine's loopback is asked. Error when
// there is no answer within 3 s. With `tls` any certificate will do: it is for another name than the loopback's, and
// nothing secret is said.
ProbeAnswer probe(const ListenAddress& address, bool tls, const std::string& path);

}  // namespace pgsluice
