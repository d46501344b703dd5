// Who may ask the HTTP server: whoever shows the token.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice {

class HttpAccess {
   public:
    // Empty: everyone may.
    explicit HttpAccess(std::string token) : token_(std::move(token)) {}

    // `authorization`: that header of the request, "Bearer ...". Takes as long for a wrong token as for a right one.
    [[nodiscard]] bool permits(std::string_view authorization) const;

   private:
    [[nodiscard]] bool is_token(std::string_view text) const;

    const std::string token_;
};

// For probes, which have no token: they say that a process is alive, and why it makes no progress.
bool is_open(std::string_view path);

}  // namespace pgsluice
