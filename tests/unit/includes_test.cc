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

// Beside its own. Errors and LSNs are everybody's vocabulary.
const std::map<std::string, Names> allowed_folders{
    {"sql", {}},
    {"stream", {"sql/lsn.h", "sql/error.h"}},
    {"rules", {"stream/", "sql/lsn.h", "sql/error.h"}},
    {"sinks", {"stream/", "sql/"}},
    {"replicator", {"stream/", "sql/"}},
    {"worker", {"stream/", "rules/", "sinks/", "sql/lsn.h", "sql/error.h"}},
    {"cmd", {"sql/", "stream/", "rules/", "sinks/", "replicator/", "worker/"}},
};

// Prefixes of headers, and of the files that may see them.
struct Fence {
    std::string header;
    Names files;
};
const std::vector<Fence> fences{
    {"libpq", {"sql/"}},
    {"nats", {"stream/"}},
    {"CLI/", {"cmd/"}},
    {"yaml-cpp/", {"cmd/", "rules/"}},
    {"re2/", {"rules/"}},
    {"simdjson", {"stream/", "rules/json"}},
    {"curl/", {"sinks/webhook", "sinks/http"}},
    {"zstd", {"sinks/"}},
};

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

std::vector<Include> all_includes() {
    std::vector<Include> out;
    for (const auto& [folder, allowed] : allowed_folders) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(PGSLUICE_SOURCE_DIR "/" + folder)) {
            const std::string extension = entry.path().extension();
            if (extension != ".cc" && extension != ".h") continue;
            const std::string name = std::filesystem::relative(entry.path(), PGSLUICE_SOURCE_DIR);
            for (Include& include : includes_of(entry.path(), name)) out.push_back(std::move(include));
        }
    }
    return out;
}

}  // namespace

TEST_CASE("folders include only what lies below them") {
    const auto includes = all_includes();
    REQUIRE(includes.size() > 100);
    for (const Include& include : includes) {
        if (!include.quoted) continue;
        const std::string folder = include.file.substr(0, include.file.find('/'));
        Names allowed = allowed_folders.at(folder);
        allowed.push_back(folder + "/");
        CHECK_MESSAGE(starts_with_one_of(include.header, allowed), include.file, " may not include ", include.header);
    }
}

TEST_CASE("third-party headers stay behind their fences, also through our own headers") {
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
    for (const auto& [folder, allowed] : allowed_folders) {
        for (const auto& entry : std::filesystem::directory_iterator(PGSLUICE_SOURCE_DIR "/" + folder)) {
            if (entry.path().extension() != ".h") continue;
            std::ifstream file(entry.path());
            std::string space;
            for (std::string line; std::getline(file, line);) {
                std::istringstream words(line);
                std::string kind;
                std::string name;
                words >> kind >> name;
                if (line.rfind("namespace ", 0) == 0) space = name;
                if (line.rfind("class ", 0) != 0 && line.rfind("struct ", 0) != 0) continue;
                if (line.find('{') == std::string::npos) continue;  // declared only
                const auto [first, is_new] = defined.emplace(space + "::" + name, entry.path().string());
                CHECK_MESSAGE(is_new, entry.path().string(), " defines ", first->first, " as does ", first->second);
            }
        }
    }
    REQUIRE(defined.size() > 50);
}
