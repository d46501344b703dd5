// Who may ask the HTTP server: whoever shows the token, or a cookie that was given for it.
//
// The cookie contains the time at which it expires, and a code over that, made with the token: "1790000000.5fd9...". So
// it stays valid over a restart, and a new token ends all sessions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice {

class HttpAccess {
   public:
    static constexpr std::int64_t session_s = 12 * 3600;

    // An empty token: everyone may. Browsers send cookies to all ports of a host, so each server has its own name.
    HttpAccess(std::string token, std::string cookie_name)
        : token_(std::move(token)), cookie_name_(std::move(cookie_name)) {}

    // `authorization`: that header of the request, "Bearer ...". Takes as long for a wrong token as for a right one.
    [[nodiscard]] bool permits(std::string_view authorization) const;
    // `cookies`: that header. `now`: seconds since 1970.
    [[nodiscard]] bool permits_cookie(std::string_view cookies, std::int64_t now) const;
    // The cookie's value for who shows the token; nothing for others.
    [[nodiscard]] std::optional<std::string> log_in(std::string_view shown, std::int64_t now) const;
    [[nodiscard]] const std::string& cookie_name() const noexcept { return cookie_name_; }

   private:
    [[nodiscard]] bool is_token(std::string_view text) const;

    [[nodiscard]] std::string session_until(std::int64_t end) const;

    const std::string token_;
    const std::string cookie_name_;
};

// For probes, which have no token, and for the way in: nothing there is of a group but why it makes no progress.
bool is_open(std::string_view path);

}  // namespace pgsluice
