// --nats-url as nats.c takes it: addresses without user and password, and these apart.
//
// nats.c before 3.9 takes a URL's user and password as they are; written as %XX they would not be the user's. And a
// comma in a password would cut the list of servers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::nats {

// Of a server; both empty where the URL has none. A name alone is a token.
struct Login {
    std::string name;
    std::string password;
    bool operator==(const Login&) const = default;
};

struct ServerUrls {
    std::vector<std::string> urls;
    Login login;  // of all of them; empty where `urls` have theirs
};

// A usage Error when there is none, or when they name different users and one of these is written with %XX.
ServerUrls parse_server_urls(std::string_view list);

// The list without users and passwords, for messages. Whatever is wrong with a URL, no part of a password is in it.
std::string describe_servers(std::string_view list);

}  // namespace pgsluice::nats
