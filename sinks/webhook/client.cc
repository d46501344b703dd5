#include "sinks/webhook/client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <strings.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sql/error.h"
#include "stream/base/hex.h"

namespace pgsluice {

namespace {

constexpr int retry_after_limit_s = 3600;
constexpr std::size_t max_response_bytes = 1U << 20U;
constexpr std::chrono::seconds longest_body(1);

struct FreeEasy {
    void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct FreeMulti {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};
struct FreeList {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;
using Headers = std::unique_ptr<curl_slist, FreeList>;

struct Slot {
    Easy easy;
    Headers headers;
    std::size_t response_bytes = 0;
    // When the answer's header was complete: what follows it is of no interest.
    std::optional<std::chrono::steady_clock::time_point> answered;
};

// A line of a header; an empty one ends it. A final answer may come after others (100, 103).
std::size_t take_header(char* line, std::size_t size, std::size_t count, void* pointer) noexcept {
    auto& slot = *static_cast<Slot*>(pointer);
    long status = 0;
    curl_easy_getinfo(slot.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    const std::string_view text(line, size * count);
    if (status >= 200 && (text == "\r\n" || text == "\n")) slot.answered = std::chrono::steady_clock::now();
    return size * count;
}

// The body is waited for a moment, because a connection whose answer was not read cannot be used again.
int end_body(void* pointer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
    const auto& answered = static_cast<Slot*>(pointer)->answered;
    return answered && std::chrono::steady_clock::now() - *answered > longest_body ? 1 : 0;
}

// The answer's body is of no interest; more than a little of it is not even read.
std::size_t discard(char* /*data*/, std::size_t size, std::size_t count, void* slot) noexcept {
    auto& bytes = static_cast<Slot*>(slot)->response_bytes;
    bytes += size * count;
    return bytes > max_response_bytes ? 0 : size * count;
}

void append(Headers& headers, const std::string& header) {
    curl_slist* list = curl_slist_append(headers.get(), header.c_str());
    if (list == nullptr) throw std::bad_alloc();
    static_cast<void>(headers.release());
    headers.reset(list);
}

bool has_header(const WebhookSinkOptions& options, std::string_view name) {
    return std::any_of(options.headers.begin(), options.headers.end(), [&](const std::string& header) {
        return header.size() > name.size() && header[name.size()] == ':' &&
               ::strncasecmp(header.c_str(), name.data(), name.size()) == 0;
    });
}

// Sent twice, they would mean nothing.
void refuse_own_headers(const WebhookSinkOptions& options) {
    const auto refuse = [&](const char* name, bool ours, const char* hint) {
        if (!ours || !has_header(options, name)) return;
        throw usage_error(
            std::string("unable to use --webhook-header '") + name + "': pgsluice sets this header itself", hint);
    };
    refuse("Idempotency-Key", true, "Leave it out.");
    refuse("Authorization", !options.bearer_token.empty(), "Leave it out, or the bearer token.");
    refuse("X-Pgsluice-Signature", !options.hmac_secret.empty(), "Leave it out, or the secret.");
}

bool is_broken(CURLcode code) {
    switch (code) {
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
            return true;
        default:
            return false;
    }
}

// Empty when the URL has no such part, or is none.
std::string url_part(const std::string& url, CURLUPart part) {
    const std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(curl_url(), [](CURLU* owned) { curl_url_cleanup(owned); });
    char* text = nullptr;
    if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {};
    if (curl_url_get(parsed.get(), part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
    const std::unique_ptr<char, void (*)(void*)> owner(text, &curl_free);
    return text;
}

template <typename T>
void set(CURL* easy, CURLoption option, T value) {
    const CURLcode code = curl_easy_setopt(easy, option, value);
    if (code == CURLE_OK) return;
    throw stop_error(std::string("unable to prepare a request to the webhook: ") + curl_easy_strerror(code));
}

}  // namespace

struct WebhookClient::State {
    State(const WebhookSinkOptions& given, std::size_t count) : options(given), slots(count) {}

    void prepare(Slot& slot);
    void set_headers(Slot& slot, std::string_view body, const std::string& idempotency_key);
    HttpOutcome outcome(const Slot& slot, CURLcode code) const;

    WebhookSinkOptions options;
    std::unique_ptr<CURLM, FreeMulti> multi;
    std::vector<Slot> slots;
};

void WebhookClient::State::prepare(Slot& slot) {
    slot.easy.reset(curl_easy_init());
    CURL* easy = slot.easy.get();
    if (easy == nullptr) throw std::bad_alloc();
    set(easy, CURLOPT_URL, options.url.c_str());
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout_ms));
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(options.timeout_ms, 10000)));
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_WRITEFUNCTION, &discard);
    set(easy, CURLOPT_WRITEDATA, &slot);
    set(easy, CURLOPT_HEADERFUNCTION, &take_header);
    set(easy, CURLOPT_HEADERDATA, &slot);
    set(easy, CURLOPT_XFERINFOFUNCTION, &end_body);
    set(easy, CURLOPT_XFERINFODATA, &slot);
    set(easy, CURLOPT_NOPROGRESS, 0L);
    set(easy, CURLOPT_PRIVATE, &slot);
    if (!options.ca_file.empty()) set(easy, CURLOPT_CAINFO, options.ca_file.c_str());
}

void WebhookClient::State::set_headers(Slot& slot, std::string_view body, const std::string& idempotency_key) {
    const auto given = [&](std::string_view name) { return has_header(options, name); };
    slot.headers.reset();
    if (!given("Content-Type")) append(slot.headers, "Content-Type: application/json");
    if (!given("User-Agent")) append(slot.headers, "User-Agent: pgsluice");
    append(slot.headers, "Expect:");  // no round trip before the body
    append(slot.headers, "Idempotency-Key: " + idempotency_key);
    for (const std::string& header : options.headers) append(slot.headers, header);
    if (!options.bearer_token.empty()) append(slot.headers, "Authorization: Bearer " + options.bearer_token);
    if (!options.hmac_secret.empty()) {
        const std::string signature = webhook_signature(options.hmac_secret, std::time(nullptr), body);
        append(slot.headers, "X-Pgsluice-Signature: " + signature);
    }
}

HttpOutcome WebhookClient::State::outcome(const Slot& slot, CURLcode code) const {
    long status = 0;
    curl_off_t retry_after = 0;
    curl_easy_getinfo(slot.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(slot.easy.get(), CURLINFO_RETRY_AFTER, &retry_after);
    // Its body may be cut off, or never end: the status is the answer.
    HttpOutcome outcome = outcome_of(status);
    if (code != CURLE_OK && !slot.answered) {
        outcome.kind = is_broken(code) ? HttpOutcome::Kind::broken : HttpOutcome::Kind::retry;
        outcome.reason = curl_easy_strerror(code);
    }
    outcome.status = slot.answered ? status : 0;
    curl_off_t took_us = 0;
    curl_easy_getinfo(slot.easy.get(), CURLINFO_TOTAL_TIME_T, &took_us);
    outcome.seconds = static_cast<double>(took_us) / 1e6;
    outcome.retry_after_s = static_cast<int>(std::clamp<curl_off_t>(retry_after, 0, retry_after_limit_s));
    return outcome;
}

WebhookClient::WebhookClient(const WebhookSinkOptions& options, std::size_t slots)
    : state_(std::make_unique<State>(options, slots)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    state_->multi.reset(curl_multi_init());
    if (state_->multi == nullptr) throw std::bad_alloc();
    const std::string scheme = url_part(options.url, CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https") {
        throw usage_error("unable to use --webhook-url: it is not an http:// or https:// URL");
    }
    refuse_own_headers(options);
    for (Slot& slot : state_->slots) state_->prepare(slot);
}

WebhookClient::~WebhookClient() {
    // Handles that are still in flight leave the multi handle before either is freed.
    for (const Slot& slot : state_->slots) curl_multi_remove_handle(state_->multi.get(), slot.easy.get());
}

void WebhookClient::start(std::size_t number, std::string_view body, const std::string& idempotency_key) {
    Slot& slot = state_->slots[number];
    slot.response_bytes = 0;
    slot.answered.reset();
    state_->set_headers(slot, body, idempotency_key);
    set(slot.easy.get(), CURLOPT_HTTPHEADER, slot.headers.get());
    set(slot.easy.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(slot.easy.get(), CURLOPT_POSTFIELDS, body.data());
    curl_multi_add_handle(state_->multi.get(), slot.easy.get());
}

void WebhookClient::drive(int timeout_ms, const std::function<void(std::size_t, const HttpOutcome&)>& done) {
    CURLM* multi = state_->multi.get();
    int running = 0;
    curl_multi_perform(multi, &running);
    int queued = 0;
    CURLMsg* message = curl_multi_info_read(multi, &queued);
    if (message == nullptr && timeout_ms > 0) {
        curl_multi_poll(multi, nullptr, 0, timeout_ms, nullptr);
        curl_multi_perform(multi, &running);
        message = curl_multi_info_read(multi, &queued);
    }
    for (; message != nullptr; message = curl_multi_info_read(multi, &queued)) {
        if (message->msg != CURLMSG_DONE) continue;
        const CURLcode code = message->data.result;
        CURL* easy = message->easy_handle;  // `message` dies with the removal
        Slot* slot = nullptr;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
        curl_multi_remove_handle(multi, easy);
        done(static_cast<std::size_t>(slot - state_->slots.data()), state_->outcome(*slot, code));
    }
}

HttpOutcome outcome_of(long status) {
    using Kind = HttpOutcome::Kind;
    const std::string reason = fmt::format("the receiver answered {}", status);
    if (status >= 200 && status < 300) return {Kind::accepted, reason, 0};
    const bool away = status == 502 || status == 503 || status == 504;
    if (status == 408 || status == 425 || status == 429 || away) return {Kind::retry, reason, 0};
    if (status >= 500) return {Kind::failed, reason, 0};
    if (status == 413) return {Kind::too_large, reason, 0};
    return {Kind::refused, reason, 0};
}

std::string webhook_signature(const std::string& secret, std::int64_t unix_seconds, std::string_view body) {
    const std::string seconds = std::to_string(unix_seconds);
    std::string text = seconds + ".";
    text += body;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
    return "t=" + seconds + ",v1=" + to_hex(std::span(digest).first(size));
}

std::string webhook_host(const std::string& url) {
    const std::string host = url_part(url, CURLUPART_HOST);
    return host.empty() ? "webhook" : host + ":" + url_part(url, CURLUPART_PORT);
}

}  // namespace pgsluice
