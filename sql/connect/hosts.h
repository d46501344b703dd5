// The places a connection may lead to: libpq tries them one after the other, each name with all its addresses.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::sql {

struct Host {
    std::string name;     // a host or a socket directory; empty: libpq's default
    std::string address;  // numeric; empty for sockets, and for names that cannot be resolved
    std::string port;     // empty: libpq's default
    bool operator==(const Host&) const = default;
};

// Of keywords in which everything that libpq fills in is filled in. Resolves names, as libpq does.
std::vector<Host> hosts_of(const std::map<std::string, std::string>& keywords);

// Puts these in the place of those the keywords name.
void set_hosts(std::map<std::string, std::string>& keywords, const std::vector<Host>& hosts);

}  // namespace pgsluice::sql
