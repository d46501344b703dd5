// The pages (*.md): what they point at is there, and they can be read in a terminal.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path top = PGSLUICE_SOURCE_DIR;
constexpr std::size_t width = 100;

struct Line {
    std::string text;
    int number = 0;
};

struct Page {
    fs::path path;  // below top
    std::vector<Line> lines;
    std::vector<Line> prose;  // neither code nor tables
    std::vector<Line> shown;  // all but code
};

Page read_page(const fs::path& path) {
    Page page{path, {}, {}, {}};
    std::ifstream file(top / path);
    bool code = false;
    int number = 0;
    for (std::string text; std::getline(file, text);) {
        page.lines.push_back({text, ++number});
        const auto first = text.find_first_not_of(' ');
        const bool fence = first != std::string::npos && text.compare(first, 3, "```") == 0;
        if (fence) code = !code;
        if (fence || code) continue;
        page.shown.push_back(page.lines.back());
        if (text.rfind('|', 0) != 0) page.prose.push_back(page.lines.back());
    }
    return page;
}

std::vector<Page> pages() {
    std::vector<Page> found;
    for (auto entry = fs::recursive_directory_iterator(top); entry != fs::recursive_directory_iterator(); ++entry) {
        const fs::path path = fs::relative(entry->path(), top);
        if (path == "build" || path == ".git") entry.disable_recursion_pending();
        if (entry->is_regular_file() && path.extension() == ".md") found.push_back(read_page(path));
    }
    return found;
}

std::size_t characters(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// As GitHub makes them of headings.
std::set<std::string> anchors(const Page& page) {
    std::set<std::string> found;
    for (const Line& line : page.shown) {
        if (line.text.rfind('#', 0) != 0) continue;
        std::string anchor;
        for (const char c : line.text.substr(line.text.find_first_not_of("# "))) {
            if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_')
                anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            if (c == ' ') anchor += '-';
        }
        found.insert(anchor);
    }
    return found;
}

std::vector<std::string> matches(const std::string& text, const std::regex& pattern) {
    std::vector<std::string> found;
    for (std::sregex_iterator match(text.begin(), text.end(), pattern); match != std::sregex_iterator(); ++match)
        found.push_back((*match)[1]);
    return found;
}

bool link_leads_somewhere(const Page& page, const std::string& link) {
    if (link.rfind("https://", 0) == 0) return true;
    const auto hash = link.find('#');
    const std::string file = link.substr(0, hash);
    const fs::path target = file.empty() ? page.path : (page.path.parent_path() / file).lexically_normal();
    if (!fs::exists(top / target)) return false;
    return hash == std::string::npos || anchors(read_page(target)).contains(link.substr(hash + 1));
}

// What looks like a file of ours: it begins with one of our folders, or ends as sources and pages do.
bool names_a_file(const std::string& word) {
    static const std::regex file(
        R"((cmd|replicator|worker|rules|sinks|sql|stream|examples|packaging|tests|\.ci)/[\w./-]+|[\w./-]+\.(cc|h|md|sh)|CMakeLists\.txt)");
    return std::regex_match(word, file);
}

bool file_is_there(const Page& page, const std::string& name) {
    return fs::exists(top / name) || fs::exists(top / page.path.parent_path() / name);
}

}  // namespace

TEST_CASE("there are pages") { CHECK(pages().size() > 8); }

TEST_CASE("links in the pages lead somewhere, their anchors too") {
    static const std::regex link(R"(\]\(([^)\s]+)\))");
    for (const Page& page : pages()) {
        for (const Line& line : page.shown) {
            for (const std::string& target : matches(line.text, link)) {
                INFO(page.path.string(), ":", line.number, ": ", target);
                CHECK(link_leads_somewhere(page, target));
            }
        }
    }
}

TEST_CASE("files that the pages name are there") {
    static const std::regex quoted("`([^`\\s]+)`");
    for (const Page& page : pages()) {
        for (const Line& line : page.shown) {
            for (const std::string& word : matches(line.text, quoted)) {
                if (!names_a_file(word)) continue;
                INFO(page.path.string(), ":", line.number, ": ", word);
                CHECK(file_is_there(page, word));
            }
        }
    }
}

// A heading cannot be broken: those of the tables of flags name all the commands that take them.
TEST_CASE("outside tables, code and headings no line of a page is longer than 100 characters") {
    for (const Page& page : pages()) {
        for (const Line& line : page.prose) {
            INFO(page.path.string(), ":", line.number);
            CHECK((line.text.starts_with('#') || characters(line.text) <= width));
        }
    }
}

TEST_CASE("README.md can be read at one sitting") { CHECK(read_page("README.md").lines.size() <= 150); }
