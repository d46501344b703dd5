// A certificate authority of its own, and certificates that it signs.
#pragma once

#include <string>

namespace pgsluice::test {

class Authority {
   public:
    Authority();

    // Paths, for openssl's options and for servers: `path`.crt and `path`.key of each certificate.
    [[nodiscard]] std::string file() const;  // its own certificate
    // `name` is the subject, and an address or a host that the certificate is for: "IP:127.0.0.1", "DNS:worker".
    [[nodiscard]] std::string sign(const std::string& common_name, const std::string& name) const;

   private:
    std::string directory_;
};

}  // namespace pgsluice::test
