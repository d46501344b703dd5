#include "tests/support/generated_page.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <regex>

#include <doctest/doctest.h>

#include "tests/support/read_file.h"

namespace pgsluice::test {

void check_generated(const std::string& page, const std::string& name, const std::string& text) {
    const std::string path = std::string(PGSLUICE_SOURCE_DIR "/") + page;
    const std::string begin = fmt::format("<!-- begin: {} -->\n", name);
    const std::string end = fmt::format("<!-- end: {} -->", name);
    std::string contents = read_file(path);
    const std::size_t marker = contents.find(begin);
    const std::size_t to = contents.find(end);
    REQUIRE(marker != std::string::npos);
    REQUIRE(to != std::string::npos);
    const std::size_t from = marker + begin.size();
    if (std::getenv("PGSLUICE_UPDATE_PAGES") != nullptr)
        std::ofstream(path) << contents.substr(0, from) << text << contents.substr(to);
    else
        CHECK_MESSAGE(contents.substr(from, to - from) == text, page,
                      " does not say what this test has found; PGSLUICE_UPDATE_PAGES=1 refreshes it");
}

std::string as_code(const std::string& text) {
    return "`" + std::regex_replace(text, std::regex(R"(\|)"), "\\|") + "`";
}

}  // namespace pgsluice::test
