// How the HTTP server is protected: --http-token-file, --http-cert, --http-key.
#pragma once

#include <string>

namespace pgsluice {

struct HttpOptions {
    std::string token;      // empty: everyone may ask
    std::string cert_file;  // PEM, with its chain; empty: no TLS
    std::string key_file;   // PEM, without a passphrase
};

}  // namespace pgsluice
