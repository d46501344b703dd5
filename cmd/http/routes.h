// What an HTTP server answers, by path.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

namespace pgsluice {

struct HttpAnswer {
    int status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body;
};

inline constexpr const char* metrics_type = "text/plain; version=0.0.4; charset=utf-8";

inline HttpAnswer plain(int status, std::string body) { return {status, "text/plain; charset=utf-8", std::move(body)}; }
inline HttpAnswer json(int status, std::string body) { return {status, "application/json", std::move(body)}; }

// Of a request: "?group=shop".
using HttpParameters = std::multimap<std::string, std::string>;

// The first value of that name; empty when there is none.
inline std::string value_of(const HttpParameters& parameters, const std::string& name) {
    const auto found = parameters.find(name);
    return found == parameters.end() ? "" : found->second;
}

using HttpRoute = std::function<HttpAnswer(const HttpParameters&)>;

// To GET requests. Called from the server's threads, several at a time; must not wait for a network.
using HttpRoutes = std::map<std::string, HttpRoute>;

}  // namespace pgsluice
