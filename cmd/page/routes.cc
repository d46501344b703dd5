#include "cmd/page/routes.h"

#include <array>
#include <string>
#include <utility>

#include "cmd/page/assets.h"

namespace pgsluice {

namespace {

std::string type_of(std::string_view name) {
    constexpr std::array types{std::pair{".html", "text/html"}, std::pair{".css", "text/css"},
                               std::pair{".js", "text/javascript"}, std::pair{".svg", "image/svg+xml"}};
    for (const auto& [ending, type] : types)
        if (name.ends_with(ending)) return std::string(type) + "; charset=utf-8";
    return "application/octet-stream";
}

// Whole documents have addresses of their own.
std::string path_of(std::string_view name) {
    if (name == "page.html") return "/";
    if (name == "login.html") return "/login";
    return "/assets/" + std::string(name);
}

}  // namespace

void add_page(HttpRoutes& routes, const Board& board) {
    for (const Asset& asset : assets())
        routes[path_of(asset.name)] = [asset](const HttpParameters&) {
            return HttpAnswer{200, type_of(asset.name), std::string(asset.text)};
        };
    routes["/live"] = [&board](const HttpParameters& asked) {
        return json(200, board.live(value_of(asked, "group")) + '\n');
    };
    routes["/history"] = [&board](const HttpParameters& asked) {
        return json(200, board.history(value_of(asked, "group")) + '\n');
    };
    routes["/rows"] = [&board](const HttpParameters& asked) {
        return json(200, board.rows(value_of(asked, "group")) + '\n');
    };
}

}  // namespace pgsluice
