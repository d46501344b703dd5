// A headless Chromium that a test drives through its DevTools protocol, over pipes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace pgsluice::test {

struct Screen {
    int width = 1280;
    int height = 900;
    bool dark = false;
};

class Browser {
   public:
    Browser();
    ~Browser();
    Browser(const Browser&) = delete;
    Browser& operator=(const Browser&) = delete;

    void show_on(const Screen& screen);
    // Returns once the page is loaded, whatever its scripts do then.
    void open(const std::string& url);
    // The value of an expression, as text; what a promise comes to. Fails the test when it throws.
    std::string value(const std::string& expression);
    // Waits until the expression is true; fails the test, with the page's text, when it does not become so.
    void await(const std::string& expression);
    // The whole page as WebP.
    void save_picture(const std::string& path);

    // Since the start: messages on the console of the level of an error, exceptions, refusals of the
    // Content-Security-Policy, answers that say an error.
    [[nodiscard]] const std::vector<std::string>& complaints();
    // Addresses that were asked for.
    [[nodiscard]] const std::set<std::string>& requested();

   private:
    struct Pipes;

    std::optional<std::string> try_value(const std::string& expression);
    std::string call(const std::string& method, const std::string& parameters = "{}");
    // Reads events until the answer to that call has come, or, with 0, what there is.
    std::string read_until(int id);
    void note(const std::string& message);

    std::unique_ptr<Pipes> pipes_;
    std::unique_ptr<Process> process_;
    std::string session_;
    int last_id_ = 0;
    int loads_ = 0;
    std::vector<std::string> complaints_;
    std::set<std::string> requested_;
};

}  // namespace pgsluice::test
