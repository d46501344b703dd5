#include "sql/connect/conninfo.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

namespace pgsluice::sql {

namespace {

using Keywords = std::map<std::string, std::string>;
using OptionList = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

// libpq's error text, unless it might quote part of a password.
std::string harmless(const char* complaint, const std::string& url) {
    const std::string_view text = complaint == nullptr ? "" : complaint;
    if (url.find("password") != std::string::npos || url.find('@') != std::string::npos) return {};
    for (const std::string_view start : {"invalid connection option", "invalid URI query parameter"}) {
        if (text.starts_with(start)) return ": " + std::string(text.substr(0, text.find_last_not_of('\n') + 1));
    }
    return {};
}

Error unreadable(const ConnectOptions& options, const std::string& reason) {
    return usage_error(fmt::format("unable to read the {} URL{}", options.role, reason),
                       "Use postgresql://user@host:port/dbname or 'host=... dbname=...'; write reserved characters in "
                       "a URL as %XX.");
}

// A password with '@' or '/' in it, not written as %XX: the rest of it would be taken for a host, a port or a database,
// and those appear in messages. A host that begins with '@' is an abstract socket.
bool misplaces_password(const std::string& url, const Keywords& keywords) {
    const auto value = [&](const char* keyword) {
        const auto found = keywords.find(keyword);
        return found == keywords.end() ? std::string() : found->second;
    };
    if (value("host").find('@', 1) != std::string::npos) return true;
    if (value("port").find_first_not_of("0123456789,") != std::string::npos) return true;
    const auto scheme = url.find("://");
    if (scheme == std::string::npos) return false;
    const std::string place = url.substr(scheme + 3, url.find('?', scheme + 3) - scheme - 3);
    const auto path = place.find('/');
    return path != std::string::npos && place.find('@', path) != std::string::npos;
}

Keywords parse_url(const ConnectOptions& options) {
    char* complaint = nullptr;
    const OptionList list(PQconninfoParse(options.url.c_str(), &complaint), &PQconninfoFree);
    const std::unique_ptr<char, decltype(&PQfreemem)> owned(complaint, &PQfreemem);
    if (!list) throw unreadable(options, harmless(complaint, options.url));
    Keywords keywords;
    for (const PQconninfoOption* option = list.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) keywords[option->keyword] = option->val;
    }
    if (misplaces_password(options.url, keywords)) throw unreadable(options, ": its parts cannot be told apart");
    return keywords;
}

void set_if_given(Keywords& keywords, const char* keyword, const std::string& value) {
    if (!value.empty()) keywords[keyword] = value;
}

}  // namespace

std::map<std::string, std::string> connection_keywords(const ConnectOptions& options) {
    Keywords keywords;
    if (!options.url.empty()) keywords = parse_url(options);
    // When the host is overridden, the URL's hostaddr no longer applies.
    if (!options.host.empty()) keywords.erase("hostaddr");
    set_if_given(keywords, "host", options.host);
    set_if_given(keywords, "port", options.port);
    set_if_given(keywords, "dbname", options.dbname);
    set_if_given(keywords, "user", options.user);
    set_if_given(keywords, "password", options.password);
    for (const auto& [keyword, value] : options.settings) keywords[keyword] = value;

    keywords["client_encoding"] = "UTF8";
    keywords.try_emplace("fallback_application_name", "pgsluice");
    keywords.try_emplace("keepalives_idle", "30");
    keywords.try_emplace("keepalives_interval", "10");
    keywords.try_emplace("keepalives_count", "3");
    return keywords;
}

// libpq tells what it has read, but only of a connection: one that it begins, and gives up for a value that is none.
std::map<std::string, std::string> resolved_keywords(const ConnectOptions& options) {
    Keywords keywords = connection_keywords(options);
    Keywords refused = keywords;
    refused["target_session_attrs"] = "none at all";
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [keyword, value] : refused) {
        names.push_back(keyword.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    const std::unique_ptr<PGconn, decltype(&PQfinish)> never(PQconnectStartParams(names.data(), values.data(), 0),
                                                             &PQfinish);
    const OptionList list(PQconninfo(never.get()), &PQconninfoFree);
    for (const PQconninfoOption* option = list.get(); option != nullptr && option->keyword != nullptr; ++option) {
        if (option->val != nullptr && *option->val != '\0') keywords.try_emplace(option->keyword, option->val);
    }
    return keywords;
}

std::string describe(const ConnectOptions& options) {
    const auto keywords = resolved_keywords(options);
    const auto part = [&](const char* keyword, const char* otherwise) {
        const auto found = keywords.find(keyword);
        return found == keywords.end() || found->second.empty() ? std::string(otherwise) : found->second;
    };
    const std::string user = part("user", "");
    return fmt::format("{}:{}/{}", part("host", "localhost"), part("port", "5432"), part("dbname", user.c_str()));
}

std::string conninfo_value(std::string_view value) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:@";
    if (!value.empty() && value.find_first_not_of(plain) == std::string_view::npos) return std::string(value);
    std::string quoted = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '\'';
}

}  // namespace pgsluice::sql
