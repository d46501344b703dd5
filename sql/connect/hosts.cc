#include "sql/connect/hosts.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>

namespace pgsluice::sql {

namespace {

using Keywords = std::map<std::string, std::string>;

std::vector<std::string> list_in(const Keywords& keywords, const char* keyword) {
    const auto found = keywords.find(keyword);
    if (found == keywords.end()) return {};
    std::vector<std::string> list(1);
    for (const char c : found->second) {
        if (c == ',') {
            list.emplace_back();
        } else {
            list.back() += c;
        }
    }
    return list;
}

std::string at(const std::vector<std::string>& list, std::size_t i) { return i < list.size() ? list[i] : ""; }

std::vector<std::string> addresses_of(const std::string& name) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* made = nullptr;
    if (::getaddrinfo(name.c_str(), nullptr, &hints, &made) != 0) return {};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(made, &::freeaddrinfo);
    std::vector<std::string> addresses;
    for (const addrinfo* each = made; each != nullptr; each = each->ai_next) {
        std::array<char, NI_MAXHOST> text{};
        if (::getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0)
            addresses.emplace_back(text.data());
    }
    return addresses;
}

bool is_socket(const std::string& name) { return name.empty() || name.front() == '/' || name.front() == '@'; }

std::string joined(const std::vector<Host>& hosts, std::string Host::*part) {
    std::string list;
    for (const Host& host : hosts) list += (&host == &hosts.front() ? "" : ",") + host.*part;
    return list;
}

}  // namespace

std::vector<Host> hosts_of(const Keywords& keywords) {
    const auto names = list_in(keywords, "host");
    const auto addresses = list_in(keywords, "hostaddr");
    const auto ports = list_in(keywords, "port");
    std::vector<Host> hosts;
    for (std::size_t i = 0; i < std::max({names.size(), addresses.size(), std::size_t{1}}); ++i) {
        Host host{at(names, i), at(addresses, i), ports.size() == 1 ? ports[0] : at(ports, i)};
        const bool resolve = host.address.empty() && !is_socket(host.name);
        const auto found = resolve ? addresses_of(host.name) : std::vector<std::string>();
        if (found.empty()) hosts.push_back(host);
        for (const auto& address : found) hosts.push_back({host.name, address, host.port});
    }
    return hosts;
}

void set_hosts(Keywords& keywords, const std::vector<Host>& hosts) {
    keywords["host"] = joined(hosts, &Host::name);
    keywords["hostaddr"] = joined(hosts, &Host::address);
    keywords["port"] = joined(hosts, &Host::port);
}

}  // namespace pgsluice::sql
