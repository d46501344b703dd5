// The Host header of a request that came over loopback.
//
// A web page in a browser on this machine may give its own name our address (DNS rebinding), and then reads what it is
// answered as its own. Its requests name that host.
#pragma once

#include <string_view>

#include "cmd/http/listen_address.h"

namespace pgsluice {

// `host`: that header, "localhost:9187"; the port may be another one, of a tunnel. Whether it is this machine by a name
// that no other can have: localhost, a loopback address, or what `--http-listen` says. A request without it is of no
// browser.
bool names_this_machine(std::string_view host, const ListenAddress& listens);

}  // namespace pgsluice
