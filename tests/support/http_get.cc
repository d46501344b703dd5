#include "tests/support/http_get.h"

#include <doctest/doctest.h>
#ifndef CPPHTTPLIB_OPENSSL_SUPPORT
#define CPPHTTPLIB_OPENSSL_SUPPORT  // as pkg-config says; tools that look at single files do not ask it
#endif
#include <httplib.h>

#include <sstream>
#include <stdexcept>

namespace pgsluice::test {

namespace {

// Without the labels that every series of a process has.
std::string without_common(std::string series) {
    const bool of_other = series.rfind("pgsluice_worker_", 0) == 0;  // the label is another worker's
    for (const std::string label : {"group=\"", "worker=\""}) {
        const auto brace = series.find('{' + label);
        if (brace == std::string::npos || (of_other && label[0] == 'w')) continue;
        auto end = series.find('"', brace + 1 + label.size()) + 1;
        if (series[end] == ',') ++end;
        series.erase(brace + 1, end - brace - 1);
    }
    return series.ends_with("{}") ? series.substr(0, series.size() - 2) : series;
}

}  // namespace

GetReply http_get(const std::string& base_url, const std::string& path, const GetOptions& options) {
    httplib::Client client(base_url);
    client.set_read_timeout(20);
    if (!options.ca_file.empty()) client.set_ca_cert_path(options.ca_file.c_str());
    httplib::Headers headers;
    if (!options.authorization.empty()) headers.emplace("Authorization", options.authorization);
    if (!options.cookie.empty()) headers.emplace("Cookie", options.cookie);
    if (!options.host.empty()) headers.emplace("Host", options.host);
    const auto result = client.Get(path, headers);
    return result ? GetReply{result->status, result->body} : GetReply{};
}

PostReply http_post(const std::string& base_url, const std::string& path, const std::string& form) {
    httplib::Client client(base_url);
    const auto result = client.Post(path, form, "application/x-www-form-urlencoded");
    if (!result) return {};
    return {result->status, result->get_header_value("Location"), result->get_header_value("Set-Cookie")};
}

std::string served_at(Process& process) {
    const std::string before = "serving over HTTP at ";
    std::string url;
    eventually("it serves over HTTP", [&] {
        const std::string log = process.err();
        const auto at = log.find(before);
        const auto end = at == std::string::npos ? at : log.find_first_of("\"\n", at);
        if (end == std::string::npos) return false;
        url = log.substr(at + before.size(), end - at - before.size());
        return true;
    });
    return url;
}

Scrape::Scrape(const std::string& base_url) : text_(http_get(base_url, "/metrics").body) {
    std::istringstream lines(text_);
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("# TYPE ", 0) == 0) names_.insert(line.substr(7, line.rfind(' ') - 7));
        const auto space = line.rfind(' ');
        if (line.empty() || line[0] == '#' || space == std::string::npos) continue;
        values_[without_common(line.substr(0, space))] = std::stod(line.substr(space + 1));
    }
}

std::optional<double> Scrape::value(const std::string& series) const {
    const auto found = values_.find(series);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace pgsluice::test
