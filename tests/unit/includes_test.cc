// Which folder may include which, and where each third-party header is fenced in.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Names = std::vector<std::string>;

// What each folder and each room (a folder's folder) may include, beside itself. A room inherits nothing: what is not
// here, it may not see. "stream/" is stream and all its rooms, "stream" the files that lie in it directly, and
// stream/base, which knows nothing of anything.
const std::map<std::string, Names> allowed{
    {"sql", {"sql/connect/"}},
    {"sql/connect", {"sql"}},
    {"sql/definition", {}},
    {"stream", {"sql/lsn.h", "sql/error.h", "stream/process/shell.h"}},
    {"stream/base", {}},
    {"stream/metrics", {"stream"}},
    {"stream/process", {"stream", "sql/error.h", "sql/lsn.h"}},
    {"stream/share", {"stream", "sql/error.h"}},
    {"stream/format", {"stream", "sql/lsn.h", "sql/error.h", "sql/page_ranges.h"}},
    {"stream/definition", {"stream", "stream/format/", "sql/error.h"}},
    {"stream/group",
     {"stream", "stream/format/", "stream/share/", "stream/definition/ddl_place.h", "sql/lsn.h", "sql/error.h",
      "sql/timestamp.h"}},
    {"stream/nats",
     {"stream", "stream/format/", "stream/nats/connection/", "stream/seal/", "sql/lsn.h", "sql/error.h", "sql/outage.h",
      "stream/process/hop_trace.h"}},
    {"stream/nats/connection", {"stream", "sql/error.h", "sql/outage.h", "stream/process/text_file.h"}},
    {"stream/health",
     {"stream", "stream/format/", "stream/group/", "stream/share/", "sql/lsn.h", "sql/error.h", "sql/timestamp.h"}},
    {"stream/seal", {"stream", "stream/format/", "sql/lsn.h", "sql/error.h", "stream/process/text_file.h"}},
    {"rules", {"rules/", "stream/", "sql/lsn.h", "sql/error.h"}},
    {"rules/keys",
     {"rules/check.h", "rules/named_columns.h", "rules/place.h", "rules/rows/sampling.h", "rules/rule.h",
      "rules/ruleset.h", "stream", "stream/format/", "sql/error.h"}},
    {"rules/rows",
     {"rules/filter.h", "rules/place.h", "rules/rule.h", "rules/expressions/expression.h", "rules/file/fields.h",
      "rules/transforms/hmac.h", "rules/transforms/secret.h", "rules/transforms/transform.h", "rules/values/", "stream",
      "stream/format/utf8.h", "sql/error.h"}},
    {"rules/file",
     {"rules/place.h", "rules/rule.h", "rules/rows/sampling.h", "rules/expressions/expression.h",
      "stream/process/text_file.h", "sql/error.h"}},
    {"rules/values", {"rules/place.h", "stream", "stream/format/json_string.h", "stream/format/utf8.h"}},
    {"rules/expressions", {"rules/place.h", "rules/values/", "stream", "stream/format/utf8.h"}},
    {"rules/transforms",
     {"rules/place.h", "rules/file/", "rules/values/", "rules/transforms/keyed/recipe.h",
      "rules/transforms/row/template.h", "stream", "stream/format/json_string.h", "stream/format/utf8.h", "sql/quote.h",
      "stream/process/text_file.h"}},
    {"rules/transforms/keyed",
     {"rules/place.h", "rules/file/", "rules/values/", "rules/transforms", "stream/base/arena.h", "stream/change.h"}},
    {"rules/transforms/generic",
     {"rules/place.h", "rules/values/", "rules/transforms", "rules/transforms/keyed/", "stream/format/utf8.h"}},
    {"rules/transforms/fake",
     {"rules/place.h", "rules/file/", "rules/values/", "rules/transforms", "rules/transforms/keyed/",
      "rules/transforms/generic/number_form.h", "stream/format/utf8.h"}},
    {"rules/transforms/row",
     {"rules/place.h", "rules/values/", "rules/transforms", "rules/transforms/fake/locale.h",
      "rules/transforms/keyed/recipe.h"}},
    {"rules/transforms/reversible", {"rules/transforms", "rules/transforms/keyed/recipe.h"}},
    {"rules/personal",
     {"rules/place.h", "rules/keys/reference_graph.h", "rules/rule.h", "rules/rule_compiler.h", "rules/file/",
      "rules/values/", "rules/transforms/fake/list_files.h", "stream", "sql/error.h"}},
    {"rules/ddl",
     {"rules/rule.h", "rules/keys/inherited_rules.h", "rules/redefined.h", "rules/listed_columns.h",
      "rules/expressions/expression.h", "rules/values/", "rules/transforms/transform.h", "stream",
      "stream/format/ddl_message.h", "stream/definition/", "sql/quote.h"}},
    {"sinks", {"sinks/ddl/ddl_policy.h", "stream", "stream/format/direct_plan.h", "sql/"}},
    {"sinks/ddl", {"stream", "stream/definition/", "sql/quote.h", "sql/error.h"}},
    {"sinks/lines", {"sinks", "sinks/ddl/", "stream", "stream/format/", "stream/definition/"}},
    {"sinks/file", {"sinks", "sinks/lines/", "stream", "sql/error.h"}},
    {"sinks/stdout", {"sinks", "sinks/lines/", "sinks/file/posix_file.h", "sinks/file/state_record.h", "stream"}},
    {"sinks/webhook", {"stream/metrics/", "sinks", "sinks/lines/", "stream", "sql/error.h"}},
    {"sinks/nats", {"sinks", "sinks/lines/", "stream", "sql/error.h"}},
    {"sinks/postgres",
     {"sinks", "sinks/ddl/", "sinks/postgres/apply/", "sinks/postgres/ddl/", "sinks/postgres/history/copied_versions.h",
      "sinks/postgres/rights/", "sinks/postgres/schema/", "sinks/postgres/sequences/", "sinks/postgres/snapshot/",
      "stream", "stream/metrics/", "stream/format/", "stream/definition/", "stream/share/share.h", "sql/"}},
    {"sinks/postgres/apply",
     {"sinks", "sinks/postgres", "sinks/postgres/ddl/", "sinks/postgres/history/", "sinks/postgres/rights/", "stream",
      "stream/format/copy_text.h", "stream/definition/", "sql/"}},
    {"sinks/postgres/snapshot",
     {"sinks", "sinks/postgres", "sinks/postgres/apply/rows.h", "sinks/postgres/history/", "sinks/postgres/rights/",
      "stream", "stream/format/", "sql/"}},
    {"sinks/postgres/history",
     {"sinks", "sinks/lines/rfc3339.h", "sinks/postgres", "sinks/postgres/apply/net_changes.h",
      "sinks/postgres/rights/", "stream", "sql/"}},
    {"sinks/postgres/sequences", {"sinks", "sinks/postgres", "sinks/postgres/rights/", "stream", "sql/"}},
    {"sinks/postgres/ddl",
     {"sinks", "sinks/ddl/", "sinks/postgres", "sinks/postgres/rights/", "stream", "stream/definition/", "sql/"}},
    {"sinks/postgres/rights", {"sinks", "sinks/postgres", "stream", "sql/"}},
    {"sinks/postgres/schema",
     {"sinks", "sinks/ddl/", "sinks/postgres", "sinks/postgres/history/", "sinks/postgres/rights/",
      "sinks/postgres/sequences/", "stream", "stream/definition/", "sql/", "stream/process/child_process.h"}},
    {"replicator", {"replicator/", "rules", "stream/", "sql/"}},
    {"replicator/rules",
     {"replicator", "rules", "stream", "stream/format/ddl_message.h", "stream/group/", "sql/error.h"}},
    {"replicator/bootstrap",
     {"replicator", "replicator/source/", "replicator/snapshot/", "replicator/tables/", "stream", "stream/group/",
      "sql/", "stream/process/"}},
    {"replicator/source",
     {"replicator", "replicator/source/ddl/", "replicator/source/slot/", "stream", "stream/format/", "stream/health/",
      "stream/metrics/", "stream/seal/cipher.h", "sql/"}},
    {"replicator/source/slot",
     {"replicator", "replicator/source", "stream", "stream/health/", "stream/metrics/", "sql/"}},
    {"replicator/source/ddl", {"sql/", "stream"}},
    {"replicator/snapshot",
     {"replicator", "replicator/source/", "rules/compiled_rules.h", "rules/ruled_lines.h", "stream", "stream/format/",
      "sql/"}},
    {"replicator/failover", {"replicator", "replicator/source/", "stream", "stream/group/", "sql/"}},
    {"replicator/tables",
     {"replicator", "replicator/rules/", "replicator/source/", "replicator/wal/encoder.h", "stream",
      "stream/format/markers.h", "stream/definition/", "stream/group/", "sql/"}},
    {"replicator/wal",
     {"replicator", "rules/compiled_rules.h", "stream", "stream/metrics/", "stream/format/", "sql/",
      "stream/process/hop_trace.h"}},
    {"worker",
     {"worker/rules/", "worker/start/", "worker/share/", "stream", "stream/format/", "stream/group/", "stream/share/",
      "stream/definition/", "stream/metrics/", "rules", "sinks", "sinks/ddl/ddl_decisions.h", "sql/lsn.h",
      "sql/error.h", "sql/timestamp.h", "stream/process/hop_trace.h"}},
    {"worker/start",
     {"worker", "worker/rules/", "worker/share/", "stream", "stream/group/", "sql/error.h", "sinks",
      "stream/metrics/rate.h"}},
    {"worker/rules", {"worker", "rules", "sinks", "stream", "stream/group/", "sql/error.h", "worker/start/facts.h"}},
    {"worker/share", {"worker/options.h", "sinks", "stream", "stream/group/", "stream/share/", "sql/error.h"}},
    {"worker/compare",
     {"stream", "stream/format/", "stream/group/", "stream/share/one_worker.h", "rules", "sinks/options.h",
      "sinks/postgres/", "sql/"}},
    {"worker/dump", {"stream", "stream/format/", "sql/error.h", "sql/quote.h", "stream/process/child_process.h"}},
    {"worker/import",
     {"worker", "worker/dump/", "worker/rules/", "rules", "sinks", "stream", "sql/error.h", "sql/timestamp.h"}},
    {"worker/dead_letters",
     {"stream", "stream/format/", "stream/group/", "sinks", "sinks/postgres/", "sinks/webhook/", "sql/"}},
    {"cmd", {"cmd/", "sql/", "stream/", "rules/", "sinks/", "replicator/", "worker/"}},
    {"cmd/http",
     {"cmd", "cmd/page/", "replicator", "replicator/snapshot/progress.h", "replicator/source/slot/retention.h",
      "sinks/postgres/conflict_metrics.h", "sinks/webhook/request_metrics.h", "worker", "stream", "stream/metrics/",
      "stream/format/json_writer.h", "stream/group/", "stream/health/", "sql/"}},
    {"cmd/page", {"cmd/http/routes.h", "stream/format/json_writer.h", "stream/health/"}},
    {"cmd/cli",
     {"cmd", "cmd/check/options.h", "cmd/cli/flags/", "cmd/cutover/options.h", "cmd/finding/options.h",
      "cmd/http/listen_address.h", "cmd/http/options.h", "cmd/status/options.h", "cmd/terminal/", "replicator", "sinks",
      "worker", "worker/compare/options.h", "worker/import/options.h", "stream/table_pattern.h",
      "stream/process/text_file.h", "sql/"}},
    {"cmd/cli/flags", {"cmd/cli/"}},
    {"cmd/commands",
     {"cmd", "cmd/cli/", "cmd/finding/", "cmd/terminal/say.h", "replicator", "replicator/bootstrap/steps.h",
      "replicator/source/", "rules", "sinks", "sinks/postgres/", "stream", "sinks/webhook/request_metrics.h",
      "stream/format/", "stream/group/", "sql/", "worker/compare/", "worker/dead_letters/", "worker/import/"}},
    {"cmd/check",
     {"cmd", "cmd/check/nats/", "cmd/check/source/", "cmd/check/target/", "cmd/cli/settings.h", "stream", "sql/",
      "replicator", "replicator/source/", "replicator/failover/timeline.h", "stream/format/json_writer.h"}},
    {"cmd/check/nats", {"cmd", "cmd/check", "stream", "sql/", "cmd/cli/settings.h", "stream/health/server_figures.h"}},
    {"cmd/check/source",
     {"cmd", "cmd/check", "replicator", "replicator/source/", "stream", "sql/", "cmd/cli/settings.h",
      "replicator/snapshot/readers.h", "replicator/tables/wanted.h"}},
    {"cmd/check/target",
     {"cmd", "cmd/check", "rules", "sinks", "sinks/postgres/", "stream", "sql/", "cmd/cli/settings.h",
      "replicator/source/", "stream/group/"}},
    {"cmd/finding",
     {"cmd", "replicator", "replicator/source/", "rules", "rules/keys/", "rules/personal/", "stream", "stream/format/",
      "sql/"}},
    {"cmd/leaks",
     {"cmd", "cmd/finding/", "replicator", "replicator/source/", "rules", "rules/keys/", "rules/personal/name_lists.h",
      "rules/values/", "stream", "stream/format/", "sql/", "worker/dead_letters/"}},
    {"cmd/cutover",
     {"cmd/cli/settings.h", "cmd/commands/", "cmd/terminal/say.h", "replicator", "replicator/source/", "rules",
      "sinks/postgres/", "sinks/postgres/rights/as_owner.h", "stream", "stream/group/", "stream/health/",
      "stream/share/one_worker.h", "sql/", "worker/compare/"}},
    {"cmd/programs",
     {"cmd", "cmd/cli/", "cmd/commands/bootstrap.h", "cmd/http/", "replicator", "replicator/source/slot/monitor.h",
      "rules", "sinks", "stream", "sql/", "worker", "worker/dead_letters/stream.h", "worker/start/report.h"}},
    {"cmd/run", {"cmd", "cmd/cli/settings.h", "cmd/http/", "stream", "sql/error.h"}},
    {"cmd/serve",
     {"cmd", "cmd/cli/settings.h", "cmd/http/", "cmd/page/", "cmd/status/", "stream", "stream/health/", "sql/error.h"}},
    {"cmd/reference", {"cmd/cli/flag.h", "cmd/cli/help.h", "cmd/cli/value.h", "stream/process/shell.h"}},
    {"cmd/status",
     {"cmd", "cmd/cli/settings.h", "replicator", "replicator/source/", "stream", "stream/group/", "stream/health/",
      "sql/"}},
    {"cmd/terminal",
     {"replicator/snapshot/progress.h", "worker/compare/progress.h", "stream/format/json_string.h",
      "stream/format/utf8.h", "stream/base/log.h", "stream/base/printable.h"}},
};

// Prefixes of headers, and of the files that may see them, directly or through one of our headers.
struct Fence {
    std::string header;
    Names files;
};
const std::vector<Fence> fences{
    {"libpq", {"sql/"}},
    {"nats", {"stream/nats/"}},
    {"CLI/", {"cmd/cli/command_line.cc"}},
    {"yaml-cpp/",
     {"cmd/cli/config_reader.h", "cmd/cli/config_reader.cc", "cmd/cli/config_file.cc", "rules/file/node.cc"}},
    {"re2/", {"rules/transforms/", "rules/filter.cc"}},
    {"pg_query", {"rules/expressions/"}},
    {"simdjson", {"stream/", "rules/transforms/json", "rules/values/json", "rules/expressions/"}},
    {"curl/", {"sinks/webhook/client.cc"}},
    {"openssl/",
     {"rules/transforms/", "rules/expressions/exact_numeric.cc", "stream/seal/cipher.cc",
      "sinks/lines/debezium_line.cc", "sinks/webhook/client.cc", "stream/nats/connection/nkey.cc", "cmd/http/access.cc",
      "stream/nats/connection/access.cc"}},
    {"argon2.h", {"rules/transforms/password_hash.cc"}},
    {"crypt.h", {"rules/transforms/password_hash.cc"}},
    {"httplib", {"cmd/http/probe.cc", "cmd/http/server.cc", "cmd/http/tls_server.cc", "cmd/check/nats/monitoring.cc"}},
    {"prometheus/", {"cmd/http/samples.cc"}},
    {"zstd", {"sinks/file/line_file.cc", "stream/format/body_encoding.cc"}},
};

std::string folder_of(const std::string& file) { return file.substr(0, file.rfind('/')); }

// Every entry of `places` is a file, "folder/" with all its rooms, or "folder" without them.
bool lies_in(const std::string& file, const Names& places) {
    return std::any_of(places.begin(), places.end(), [&](const std::string& place) {
        return place.back() == '/' ? file.rfind(place, 0) == 0 : file == place || folder_of(file) == place;
    });
}

bool starts_with_one_of(const std::string& text, const Names& prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](const std::string& prefix) { return text.rfind(prefix, 0) == 0; });
}

struct Include {
    std::string file;  // "sinks/webhook/sink.cc"
    std::string header;
    bool quoted;
};

std::vector<Include> includes_of(const std::filesystem::path& path, const std::string& name) {
    std::vector<Include> out;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("#include ", 0) != 0) continue;
        const char close = line[9] == '"' ? '"' : '>';
        out.push_back({name, line.substr(10, line.find(close, 10) - 10), close == '"'});
    }
    return out;
}

std::vector<std::filesystem::path> all_sources() {
    std::vector<std::filesystem::path> out;
    for (const std::string top : {"sql", "stream", "rules", "sinks", "replicator", "worker", "cmd"}) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(PGSLUICE_SOURCE_DIR "/" + top)) {
            const std::string extension = entry.path().extension();
            if (extension == ".cc" || extension == ".h") out.push_back(entry.path());
        }
    }
    return out;
}

std::vector<Include> all_includes() {
    std::vector<Include> out;
    for (const auto& path : all_sources()) {
        const std::string name = std::filesystem::relative(path, PGSLUICE_SOURCE_DIR);
        for (Include& include : includes_of(path, name)) out.push_back(std::move(include));
    }
    return out;
}

}  // namespace

TEST_CASE("folders and rooms include only what lies below them") {
    const auto includes = all_includes();
    REQUIRE(includes.size() > 100);
    for (const Include& include : includes) {
        if (!include.quoted) continue;
        const std::string folder = folder_of(include.file);
        REQUIRE_MESSAGE(allowed.count(folder) == 1, folder, " is not in the table of this test");
        Names places = allowed.at(folder);
        places.push_back(folder);
        if (lies_in("stream", places)) places.emplace_back("stream/base");
        CHECK_MESSAGE(lies_in(include.header, places), include.file, " may not include ", include.header);
    }
}

TEST_CASE("the table names folders and files that exist") {
    for (const auto& entry : allowed) {
        const std::string& folder = entry.first;
        CHECK_MESSAGE(std::filesystem::is_directory(PGSLUICE_SOURCE_DIR "/" + folder), folder);
        for (const std::string& place : entry.second)
            CHECK_MESSAGE(std::filesystem::exists(PGSLUICE_SOURCE_DIR "/" + place), folder, ": ", place);
    }
}

TEST_CASE("third-party headers stay within their fences, also through our own headers") {
    const auto includes = all_includes();
    for (const Fence& fence : fences) {
        std::set<std::string> exposed;  // files that see the header, directly or through one of ours
        for (bool grows = true; grows;) {
            const std::size_t before = exposed.size();
            for (const Include& include : includes) {
                const bool sees =
                    include.quoted ? exposed.count(include.header) != 0 : include.header.rfind(fence.header, 0) == 0;
                if (sees) exposed.insert(include.file);
            }
            grows = exposed.size() != before;
        }
        for (const std::string& file : exposed) {
            CHECK_MESSAGE(starts_with_one_of(file, fence.files), file, " may not see <", fence.header, "...>");
        }
    }
}

// Two classes of one name in one namespace: the linker would take either for both, in silence.
TEST_CASE("no two headers define a class of the same name") {
    std::map<std::string, std::string> defined;  // "pgsluice::Lsn" -> its header
    for (const auto& path : all_sources()) {
        if (path.extension() != ".h") continue;
        std::ifstream file(path);
        std::string space;
        for (std::string line; std::getline(file, line);) {
            std::istringstream words(line);
            std::string kind;
            std::string name;
            words >> kind >> name;
            if (line.rfind("namespace ", 0) == 0) space = name;
            if (line.rfind("class ", 0) != 0 && line.rfind("struct ", 0) != 0) continue;
            if (line.find('{') == std::string::npos) continue;  // declared only
            const auto added = defined.emplace(space + "::" + name, path.string());
            CHECK_MESSAGE(added.second, path.string(), " defines ", added.first->first, " as does ",
                          added.first->second);
        }
    }
    REQUIRE(defined.size() > 50);
}
