#include "sinks/postgres/schema/pg_dump.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <map>
#include <optional>

#include "sql/connect/conninfo.h"
#include "stream/process/child_process.h"

namespace pgsluice {

namespace {

struct Finished {
    bool well = false;
    std::string out;
    std::string err;
};

Finished run(std::vector<std::string> argv, const std::string& password, const std::stop_token& stop,
             const std::function<void()>& tell) {
    ChildProcess::Variables variables;
    if (!password.empty()) variables.emplace_back("PGPASSWORD", password);
    ChildProcess child(std::move(argv), variables,
                       "Install PostgreSQL's client programs (Debian: postgresql-client) so that pg_dump is in PATH, "
                       "or create the tables on the target yourself and leave --target-sync-schema out.");
    Finished finished;
    std::array<char, 65536> buffer{};
    while (const std::size_t count = child.read(buffer.data(), buffer.size(), stop, tell))
        finished.out.append(buffer.data(), count);
    finished.well = succeeded(child.wait());
    finished.err = child.errors();
    return finished;
}

// keyword='value' ..., as libpq reads it; without the password, which others could see in the list of processes.
std::string conninfo(const std::map<std::string, std::string>& keywords) {
    std::string out;
    for (const auto& [keyword, value] : keywords) {
        if (keyword == "password") continue;
        out += keyword + "='";
        for (const char c : value) {
            if (c == '\'' || c == '\\') out += '\\';
            out += c;
        }
        out += "' ";
    }
    return out;
}

void check_version(int server_version, const std::stop_token& stop) {
    const Finished said = run({"pg_dump", "--version"}, "", stop, [] {});  // pg_dump (PostgreSQL) 15.20 (Debian ...)
    const auto digits = said.out.find_first_of("0123456789");
    const int major = digits == std::string::npos ? 0 : std::atoi(said.out.c_str() + digits);
    if (major >= server_version / 10000) return;
    throw stop_error(fmt::format("unable to copy the source's schema: pg_dump is version {}, the source is version {}",
                                 major, server_version / 10000),
                     fmt::format("Install the client programs of PostgreSQL {} (Debian: postgresql-client-{}) and put "
                                 "them first in PATH.",
                                 server_version / 10000, server_version / 10000));
}

constexpr std::string_view header = "\n--\n-- Name: ";

// Of "-- Name: users; Type: TABLE; Schema: public; Owner: -"; nothing when it is none, as in a function's body.
std::optional<SchemaEntry> parse_header(std::string_view line) {
    const auto owner = line.rfind("; Owner: ");
    const auto schema = line.substr(0, owner).rfind("; Schema: ");
    const auto type = line.substr(0, schema).rfind("; Type: ");
    if (owner == std::string_view::npos || schema == std::string_view::npos || type == std::string_view::npos)
        return std::nullopt;
    const auto between = [&](std::size_t from, std::string_view key, std::size_t to) {
        return std::string(line.substr(from + key.size(), to - from - key.size()));
    };
    return SchemaEntry{between(0, "-- Name: ", type), between(type, "; Type: ", schema),
                       between(schema, "; Schema: ", owner), ""};
}

struct FoundHeader {
    std::size_t at = std::string_view::npos;
    std::size_t body = 0;
    SchemaEntry entry;
};

FoundHeader find_header(std::string_view script, std::size_t from) {
    for (auto at = script.find(header, from); at != std::string_view::npos; at = script.find(header, at + 1)) {
        const auto line = script.substr(at + 4, script.find('\n', at + 4) - (at + 4));
        auto entry = parse_header(line);
        if (entry) return {at, std::min(at + 4 + line.size() + 4, script.size()), std::move(*entry)};  // "\n--\n"
    }
    return {};
}

}  // namespace

std::vector<SchemaEntry> parse_dump(std::string_view script) {
    const auto complete = script.rfind("\n--\n-- PostgreSQL database dump complete");
    if (complete != std::string_view::npos) script = script.substr(0, complete + 1);
    std::vector<SchemaEntry> entries;
    for (auto found = find_header(script, 0); found.at != std::string_view::npos;) {
        auto next = find_header(script, found.body - 1);
        found.entry.text = std::string(script.substr(found.body, next.at - found.body));
        entries.push_back(std::move(found.entry));
        found = std::move(next);
    }
    return entries;
}

std::string run_pg_dump(const sql::ConnectOptions& source, int server_version,
                        const std::vector<std::string>& arguments, const std::stop_token& stop,
                        const std::function<void()>& tell) {
    check_version(server_version, stop);
    auto keywords = sql::connection_keywords(source);
    if (!sql::resolved_keywords(source).contains("connect_timeout")) keywords["connect_timeout"] = "10";  // as ours
    const auto password = keywords.find("password");
    std::vector<std::string> argv{"pg_dump", "--dbname=" + conninfo(keywords), "--no-password", "--schema-only"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    Finished finished = run(std::move(argv), password == keywords.end() ? "" : password->second, stop, tell);
    if (finished.well) return std::move(finished.out);
    std::string reason = finished.err.substr(0, finished.err.find_last_not_of('\n') + 1);
    for (char& c : reason) {
        if (c == '\n') c = ';';
    }
    throw stop_error(fmt::format("unable to copy the source's schema: {}", reason),
                     "The --source-* options must name the database the replicator reads, as a role that may read its "
                     "tables.");
}

}  // namespace pgsluice
