#include "stream/nats/connection/server_urls.h"

#include <algorithm>
#include <charconv>

#include "sql/error.h"

namespace pgsluice::nats {

namespace {

std::vector<std::string> split(std::string_view urls) {
    std::vector<std::string> list;
    for (std::size_t from = 0; from <= urls.size();) {
        const auto comma = std::min(urls.find(',', from), urls.size());
        std::string url(urls.substr(from, comma - from));
        std::erase(url, ' ');
        if (!url.empty()) list.push_back(url);
        from = comma + 1;
    }
    return list;
}

// Where "user:password@" begins and ends; the same place where there is none.
struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
};

Span login_in(std::string_view url) {
    const auto scheme = url.find("://");
    const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
    const auto at = url.rfind('@');
    return {begin, at == std::string_view::npos || at < begin ? begin : at + 1};
}

std::string without_login(std::string url) {
    const Span login = login_in(url);
    return url.erase(login.begin, login.end - login.begin);
}

// A '%' that two hexadecimal digits do not follow is a character like others.
std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned char byte = 0;
        const char* digits = text.data() + i + 1;
        if (text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
            out += static_cast<char>(byte);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

Login login_of(std::string_view url) {
    const Span span = login_in(url);
    if (span.begin == span.end) return {};
    const auto text = url.substr(span.begin, span.end - span.begin - 1);
    const auto colon = std::min(text.find(':'), text.size());
    return {decoded(text.substr(0, colon)), decoded(text.substr(std::min(colon + 1, text.size())))};
}

bool has_encoded_login(std::string_view url) {
    const Span span = login_in(url);
    return url.substr(span.begin, span.end - span.begin).find('%') != std::string_view::npos;
}

// "u:secret" and what else is no host with a port, and may be the beginning of a password.
bool may_be_login(std::string_view piece) {
    if (const auto scheme = piece.find("://"); scheme != std::string_view::npos) piece.remove_prefix(scheme + 3);
    if (piece.starts_with('[')) return false;
    piece = piece.substr(0, piece.find('/'));
    const auto colon = piece.find(':');
    return colon != std::string_view::npos &&
           piece.find_first_not_of("0123456789", colon + 1) != std::string_view::npos;
}

}  // namespace

ServerUrls parse_server_urls(std::string_view list) {
    ServerUrls servers{split(list), {}};
    if (servers.urls.empty())
        throw usage_error("unable to connect to NATS: no URL given", "Give the server's address in --nats-url.");
    bool same = true;
    for (const auto& url : servers.urls) {
        const Login login = login_of(url);
        if (login == Login{}) continue;
        same = same && (servers.login == Login{} || servers.login == login);
        servers.login = login;
    }
    if (same) {
        for (auto& url : servers.urls) url = without_login(std::move(url));
        return servers;
    }
    if (std::ranges::any_of(servers.urls, has_encoded_login)) {
        throw usage_error(
            "unable to use the URLs of NATS: they name different users, and one of these is written with %XX",
            "Name the same user in all of them.");
    }
    servers.login = {};
    return servers;
}

// A comma in a password cuts a URL in two. What comes before a piece that has user and password but no scheme may be
// the rest of them, so it is not shown either, nor is a piece that is not an address.
std::string describe_servers(std::string_view list) {
    std::string names;
    for (const auto& url : split(list)) {
        const auto at = url.find('@');
        if (at != std::string::npos && url.find("://") >= at) names.clear();
        const std::string shown = without_login(url);
        names += (names.empty() ? "" : ",") + (may_be_login(shown) ? "***" : shown);
    }
    return names;
}

}  // namespace pgsluice::nats
