#include "stream/nats/connection/access.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>

#include "sql/outage.h"
#include "stream/nats/connection/nkey.h"
#include "stream/process/text_file.h"

namespace pgsluice::nats {

namespace {

void must(natsStatus status, const std::string& what, const std::string& name) {
    if (status == NATS_OK) return;
    throw usage_error(fmt::format("unable to use {} for NATS '{}': {}", what, name, last_error(status)));
}

// nats.c writes these into JSON as they are.
std::string json_escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < 0x20 ? fmt::format("\\u{:04x}", static_cast<unsigned char>(c))
                                                    : std::string(1, c);
    }
    return out;
}

void set_login(natsOptions& made, const Login& login, const std::string& name) {
    if (login == Login{}) return;
    const std::string user = json_escaped(login.name);
    const auto status = login.password.empty()
                            ? natsOptions_SetToken(&made, user.c_str())
                            : natsOptions_SetUserInfo(&made, user.c_str(), json_escaped(login.password).c_str());
    must(status, "the user of --nats-url", name);
}

// nats.c reads the seed at each connection, but wants to be told whose it is.
void set_nkey(natsOptions& made, const std::string& file, const std::string& name) {
    const auto text = read_text_file(file);
    const auto seed = text ? find_seed(*text) : std::nullopt;
    if (!seed) {
        throw usage_error(
            fmt::format("unable to use NKey file '{}': {}", file, text ? "no user's seed is in it" : "cannot be read"),
            "It must hold the seed of a user (SU...), as `nk -gen user` prints it.");
    }
    const auto user = public_nkey(*seed);
    must(natsOptions_SetNKeyFromSeed(&made, user ? user->c_str() : nullptr, file.c_str()),
         fmt::format("NKey file '{}'", file), name);
}

void set_tls_first(natsOptions& made, const std::string& name) {
#if NATS_VERSION_NUMBER >= 0x030A00
    must(natsOptions_TLSHandshakeFirst(&made), "TLS first", name);
#else
    static_cast<void>(made);
    throw usage_error(
        fmt::format("unable to begin with TLS at NATS '{}': this pgsluice is built with nats.c {}, which cannot", name,
                    NATS_VERSION_STRING),
        "Build it with nats.c 3.10 or later, or set handshake_first to auto in nats-server's configuration and leave "
        "--nats-tls-first out.");
#endif
}

std::string read_file(const std::string& file, const char* what) {
    auto text = read_text_file(file);
    if (!text) throw usage_error(fmt::format("unable to use {} '{}': the file cannot be read", what, file));
    return std::move(*text);
}

// OpenSSL would ask for a passphrase on the terminal.
void set_certificate(natsOptions& made, const std::string& certificate, const std::string& key) {
    read_file(certificate, "the client certificate");
    const bool locked = read_file(key, "the private key").find("ENCRYPTED") != std::string::npos;
    const auto status = locked ? NATS_OK : natsOptions_LoadCertificatesChain(&made, certificate.c_str(), key.c_str());
    if (!locked && status == NATS_OK) return;
    throw usage_error(fmt::format("unable to use the client certificate '{}' with the private key '{}': {}",
                                  certificate, key, locked ? "the key is encrypted" : last_error(status)),
                      "Both must be PEM files and belong together, the key without a passphrase (`openssl pkey -in "
                      "locked.key -out open.key`).");
}

void set_tls(natsOptions& made, const BrokerOptions& options, const std::string& name) {
    if (!options.tls_ca_file.empty() || !options.tls_cert_file.empty() || options.tls_first)
        must(natsOptions_SetSecure(&made, true), "TLS", name);
    if (!options.tls_ca_file.empty()) {
        read_file(options.tls_ca_file, "the CA file");
        must(natsOptions_LoadCATrustedCertificates(&made, options.tls_ca_file.c_str()),
             fmt::format("CA file '{}'", options.tls_ca_file), name);
    }
    if (!options.tls_cert_file.empty()) set_certificate(made, options.tls_cert_file, options.tls_key_file);
    if (options.tls_first) set_tls_first(made, name);
}

// Why the server ended TLS; empty where it did not. With TLS 1.3 it refuses a certificate after the handshake: nats.c
// then misses an answer, and only OpenSSL's queue, which is the thread's, knows more.
std::string tls_alert() {
    std::string alert;
    while (const auto code = ERR_get_error()) {
        if (ERR_GET_LIB(code) != ERR_LIB_SSL || ERR_GET_REASON(code) < SSL_AD_REASON_OFFSET) continue;
        const char* reason = ERR_reason_error_string(code);
        alert = reason == nullptr ? "unknown" : reason;
    }
    return alert;
}

Outage refused_by_server(const std::string& doing, const std::string& alert, bool with_certificate) {
    if (!with_certificate) {
        return Outage(
            fmt::format("unable to {}: the server refuses TLS without a certificate of ours ({})", doing, alert),
            "Give a client certificate that it trusts in --nats-cert and --nats-key.");
    }
    return Outage(fmt::format("unable to {}: the server refuses our certificate ({})", doing, alert),
                  "It must be valid and signed by an authority that the server trusts (ca_file of tls in "
                  "nats-server's configuration): give another one in --nats-cert and --nats-key.");
}

// "SSL handshake error: 20:unable to get local issuer certificate:depth=0:cert=...": what we had against it.
std::string objection(std::string_view text) {
    constexpr std::string_view start = "SSL handshake error: ";
    if (!text.starts_with(start)) return {};
    text.remove_prefix(start.size());
    const auto digits = text.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos || text[digits] != ':') return {};
    return std::string(text.substr(digits + 1));
}

// Errors that a retry cannot fix. Any other, even half a greeting, may come from a dying server, a cut line or a proxy.
bool is_setting(natsStatus status) {
    switch (status) {
        case NATS_ADDRESS_MISSING:
        case NATS_INVALID_ARG:
        case NATS_SECURE_CONNECTION_REQUIRED:
        case NATS_NOT_INITIALIZED:
            return true;
        default:
            return false;
    }
}

}  // namespace

void set_access(natsOptions& made, const BrokerOptions& options, const Login& login, const std::string& name) {
    set_login(made, login, name);
    if (!options.credentials_file.empty()) {
        must(natsOptions_SetUserCredentialsFromFiles(&made, options.credentials_file.c_str(), nullptr),
             "the credentials file", name);
    }
    if (!options.nkey_file.empty()) set_nkey(made, options.nkey_file, name);
    set_tls(made, options, name);
    if (!options.inbox_prefix.empty())
        must(natsOptions_SetCustomInboxPrefix(&made, options.inbox_prefix.c_str()), "the inbox prefix", name);
}

Error unreadable_url(const std::string& name) {
    return usage_error(fmt::format("unable to read the URL of NATS at '{}'", name),
                       "Use nats://user:password@host:port. In user and password, write the characters @ : / , as %40 "
                       "%3A %2F %2C, or use --nats-credentials.");
}

bool is_refused_login(natsStatus status) {
    return status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED;
}

void throw_connect_error(const std::string& name, natsStatus status, bool with_certificate) {
    const auto doing = fmt::format("connect to NATS at '{}'", name);
    const std::string alert = tls_alert();
    if (!alert.empty()) throw refused_by_server(doing, alert, with_certificate);
    if (const auto why = objection(last_error(status)); !why.empty()) {
        throw Outage(fmt::format("unable to {}: we refuse the server's certificate: {}", doing, why),
                     "Give the authority that signed it in --nats-ca, and in --nats-url a name that is in it.");
    }
    if (is_refused_login(status)) throw Outage(fmt::format("unable to {}: {}", doing, last_error(status)), login_hint);
    if (status == NATS_INVALID_ARG || status == NATS_ADDRESS_MISSING) throw unreadable_url(name);
    if (status == NATS_SECURE_CONNECTION_WANTED) {
        throw stop_error(fmt::format("unable to {}: the server offers no TLS", doing),
                         "Configure tls in nats-server, or leave out --nats-ca, --nats-cert, --nats-key and "
                         "--nats-tls-first.");
    }
    if (is_setting(status)) throw error(doing, status);
    throw retry_error(fmt::format("unable to {}: {}", doing, last_error(status)),
                      "Start the server with `nats-server -js`, or give its address in --nats-url.");
}

}  // namespace pgsluice::nats
