#include "tests/support/browser.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <stdexcept>

#include "stream/format/json_writer.h"

namespace pgsluice::test {

namespace {

constexpr std::chrono::seconds patience(180);

int opened(const std::string& fifo) {
    const int fd = ::open(fifo.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) throw std::runtime_error("unable to open " + fifo);
    return fd;
}

std::string json_text(std::string_view text) {
    JsonText out;
    out.text(text);
    return std::string(out.view());
}

std::string text_at(const simdjson::dom::element& element, const char* pointer) {
    std::string_view found;
    return element.at_pointer(pointer).get(found) == simdjson::SUCCESS ? std::string(found) : "";
}

std::string unpacked(std::string_view base64) {
    std::string out;
    unsigned bits = 0;
    int held = 0;
    for (const char c : base64) {
        const std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const auto at = letters.find(c);
        if (at == std::string_view::npos) break;
        bits = bits << 6U | static_cast<unsigned>(at);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        out += static_cast<char>(bits >> static_cast<unsigned>(held) & 0xFFU);
    }
    return out;
}

std::vector<std::string> command_line(const std::string& directory) {
    const std::string chromium =
        "exec chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars "
        "--disable-background-networking --disable-component-update --disable-sync --disable-extensions "
        "--no-first-run --no-default-browser-check --disable-default-apps --force-color-profile=srgb "
        "--remote-debugging-pipe --user-data-dir=" +
        directory + "/profile about:blank 3<" + directory + "/to 4>" + directory + "/from";
    return {"sh", "-c", chromium};
}

}  // namespace

struct Browser::Pipes {
    explicit Pipes(const std::string& directory) {
        for (const char* name : {"/to", "/from"})
            if (::mkfifo((directory + name).c_str(), 0600) != 0) throw std::runtime_error("unable to make a fifo");
        to = opened(directory + "/to");
        from = opened(directory + "/from");
    }
    ~Pipes() {
        ::close(to);
        ::close(from);
    }
    Pipes(const Pipes&) = delete;
    Pipes& operator=(const Pipes&) = delete;

    void write(std::string message) const {
        message += '\0';
        for (std::string_view rest = message; !rest.empty();) {
            const auto written = ::write(to, rest.data(), rest.size());
            if (written < 0) throw std::runtime_error("unable to write to chromium");
            rest.remove_prefix(static_cast<std::size_t>(written));
        }
    }

    // Nothing when none comes in that time.
    std::optional<std::string> read(std::chrono::milliseconds limit) {
        for (;;) {
            const auto end = received.find('\0');
            if (end != std::string::npos) {
                std::string message = received.substr(0, end);
                received.erase(0, end + 1);
                return message;
            }
            pollfd ready{from, POLLIN, 0};
            if (::poll(&ready, 1, static_cast<int>(limit.count())) <= 0) return std::nullopt;
            char buffer[65536];
            const auto size = ::read(from, buffer, sizeof buffer);
            if (size <= 0) return std::nullopt;
            received.append(buffer, static_cast<std::size_t>(size));
        }
    }

    int to = -1;
    int from = -1;
    std::string received;
};

Browser::Browser() {
    if (run({"sh", "-c", "command -v chromium"}).code != 0)
        throw std::runtime_error("chromium is not installed: run examples/install-packages test");
    const std::string directory = temporary_directory("browser");
    pipes_ = std::make_unique<Pipes>(directory);
    process_ = std::make_unique<Process>(ProcessOptions{command_line(directory)});
    simdjson::dom::parser parser;
    const std::string made = call("Target.createTarget", R"({"url":"about:blank"})");
    const std::string target = text_at(parser.parse(made), "/result/targetId");
    const std::string attached =
        call("Target.attachToTarget", fmt::format(R"({{"targetId":{},"flatten":true}})", json_text(target)));
    session_ = text_at(parser.parse(attached), "/result/sessionId");
    for (const char* domain : {"Page", "Network", "Runtime", "Log"}) call(std::string(domain) + ".enable");
    show_on({});
}

Browser::~Browser() = default;

std::string Browser::call(const std::string& method, const std::string& parameters) {
    const std::string session = session_.empty() ? "" : fmt::format(R"(,"sessionId":{})", json_text(session_));
    pipes_->write(fmt::format(R"({{"id":{},"method":"{}","params":{}{}}})", ++last_id_, method, parameters, session));
    return read_until(last_id_);
}

std::string Browser::read_until(int id) {
    simdjson::dom::parser parser;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    do {
        while (const auto message = pipes_->read(std::chrono::milliseconds(id == 0 ? 0 : 200))) {
            std::int64_t answered = 0;
            if (parser.parse(*message).at_pointer("/id").get(answered) != simdjson::SUCCESS)
                note(*message);
            else if (answered == id)
                return *message;
        }
        if (id == 0) return "";
    } while (std::chrono::steady_clock::now() < deadline && process_->running());
    throw std::runtime_error("chromium does not answer: " + process_->err());
}

void Browser::note(const std::string& message) {
    simdjson::dom::parser parser;
    const simdjson::dom::element event = parser.parse(message);
    const std::string method = text_at(event, "/method");
    if (method == "Page.loadEventFired") ++loads_;
    if (method == "Network.requestWillBeSent") requested_.insert(text_at(event, "/params/request/url"));
    const bool logged = method == "Log.entryAdded" && text_at(event, "/params/entry/level") == "error";
    const bool said = method == "Runtime.consoleAPICalled" && text_at(event, "/params/type") == "error";
    if (logged || said || method == "Runtime.exceptionThrown") complaints_.push_back(message);
}

const std::vector<std::string>& Browser::complaints() {
    read_until(0);
    return complaints_;
}

const std::set<std::string>& Browser::requested() {
    read_until(0);
    return requested_;
}

// Without motion: frames that nobody looks at cost a test's time.
void Browser::show_on(const Screen& screen) {
    call(
        "Emulation.setDeviceMetricsOverride",
        fmt::format(R"({{"width":{},"height":{},"deviceScaleFactor":1,"mobile":false}})", screen.width, screen.height));
    call("Emulation.setEmulatedMedia", fmt::format(R"({{"features":[{{"name":"prefers-color-scheme","value":"{}"}},)"
                                                   R"({{"name":"prefers-reduced-motion","value":"reduce"}}]}})",
                                                   screen.dark ? "dark" : "light"));
}

void Browser::open(const std::string& url) {
    const int before = loads_;
    call("Page.navigate", fmt::format(R"({{"url":{}}})", json_text(url)));
    const auto loaded = [&] {
        read_until(0);
        return loads_ > before;
    };
    eventually("the page is loaded", loaded, patience);
}

std::optional<std::string> Browser::try_value(const std::string& expression) {
    const std::string answer =
        call("Runtime.evaluate", fmt::format(R"({{"expression":{},"awaitPromise":true,"returnByValue":true}})",
                                             json_text("(async () => String(await (" + expression + ")))()")));
    simdjson::dom::parser parser;
    std::string_view text;
    const simdjson::dom::element found = parser.parse(answer);
    if (found.at_pointer("/result/result/value").get(text) != simdjson::SUCCESS) return std::nullopt;
    return std::string(text);
}

std::string Browser::value(const std::string& expression) {
    const auto found = try_value(expression);
    CHECK_MESSAGE(found, expression);
    return found.value_or("");
}

// The page itself looks again and again for a while; it may be left meanwhile for another one.
void Browser::await(const std::string& expression) {
    const std::string looks = fmt::format(
        "new Promise((done) => {{ const begun = Date.now(); const look = () => {{ let is = false; try {{ is = {}; }} "
        "catch {{}} if (is || Date.now() - begun > 1000) done(is); else setTimeout(look, 50); }}; look(); }})",
        expression);
    const bool came = eventually(
        expression, [&] { return try_value(looks) == "true"; }, patience);
    if (!came) MESSAGE(value("document.body.innerText"));
}

void Browser::save_picture(const std::string& path) {
    const std::string answer =
        call("Page.captureScreenshot", R"({"format":"webp","quality":80,"captureBeyondViewport":true})");
    simdjson::dom::parser parser;
    std::ofstream(path, std::ios::binary) << unpacked(text_at(parser.parse(answer), "/result/data"));
}

}  // namespace pgsluice::test
