// GET requests to a process under test, and what /metrics answers.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "tests/support/process.h"

namespace pgsluice::test {

struct GetReply {
    int status = 0;  // 0: no answer
    std::string body;
};

struct GetOptions {
    std::string authorization;  // the header; empty: without it
    std::string cookie = {};    // the same
    std::string ca_file = {};   // that signed the server's certificate
    std::string host = {};      // the header; empty: of the URL
};

GetReply http_get(const std::string& base_url, const std::string& path, const GetOptions& options = {});
struct PostReply {
    int status = 0;
    std::string location;
    std::string cookie;  // Set-Cookie
};

PostReply http_post(const std::string& base_url, const std::string& path, const std::string& form);
// "http://127.0.0.1:40123", from the log of a process with --http-listen 127.0.0.1:0; waits for it.
std::string served_at(Process& process);

// One scrape: the value of `name{labels}`, with the labels as /metrics gives them but without group and worker.
class Scrape {
   public:
    explicit Scrape(const std::string& base_url);

    [[nodiscard]] std::optional<double> value(const std::string& series) const;
    // Of metrics, from their TYPE lines.
    [[nodiscard]] const std::set<std::string>& names() const noexcept { return names_; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

   private:
    std::string text_;
    std::map<std::string, double> values_;
    std::set<std::string> names_;
};

}  // namespace pgsluice::test
