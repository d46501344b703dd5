#include "cmd/http/tls_server.h"

#include <fmt/format.h>
#ifndef CPPHTTPLIB_OPENSSL_SUPPORT
#define CPPHTTPLIB_OPENSSL_SUPPORT  // as pkg-config says; tools that look at single files do not ask it
#endif
#include <httplib.h>

#include <cstring>
#include <exception>

#include "sql/error.h"

namespace pgsluice {

namespace {

// The first error says more than those that follow from it.
std::string reason() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    const char* system = ERR_SYSTEM_ERROR(code) ? std::strerror(ERR_GET_REASON(code)) : nullptr;
    const char* text = system != nullptr ? system : ERR_reason_error_string(code);
    return text == nullptr ? "it is not PEM" : text;
}

[[noreturn]] void refuse(const char* what, const std::string& file, const char* flag, const char* expected) {
    throw stop_error(fmt::format("unable to use {} '{}': {}", what, file, reason()),
                     fmt::format("Give {} a file that this user can read, with {}.", flag, expected));
}

void use(SSL_CTX& context, const HttpOptions& options) {
    SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION);
    SSL_CTX_set_default_passwd_cb(&context, [](char*, int, int, void*) { return 0; });  // asks at no terminal
    if (SSL_CTX_use_certificate_chain_file(&context, options.cert_file.c_str()) != 1)
        refuse("certificate", options.cert_file, "--http-cert", "the certificate in PEM, then those that signed it");
    if (SSL_CTX_use_PrivateKey_file(&context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
        refuse("key", options.key_file, "--http-key", "the private key of --http-cert in PEM, without a passphrase");
}

}  // namespace

std::unique_ptr<httplib::Server> tls_server(const HttpOptions& options) {
    std::exception_ptr refused;  // thrown from within the constructor, the context would be lost
    auto server = std::make_unique<httplib::SSLServer>([&](SSL_CTX& context) {
        try {
            use(context, options);
        } catch (const Error&) {
            refused = std::current_exception();
        }
        return refused == nullptr;
    });
    if (refused) std::rethrow_exception(refused);
    return server;
}

}  // namespace pgsluice
