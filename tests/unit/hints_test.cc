// Every HINT in the sources is in the table of hints, with a test that follows it, and is written as one is.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>

#include "tests/unit/hints_table.h"
#include "tests/unit/program_sentences.h"

using namespace pgsluice::test;

namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Without the quotes and line breaks between the pieces of a literal.
std::string joined(std::string text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"' && (i == 0 || text[i - 1] != '\\')) {
            const auto next = text.find_first_not_of(" \n", i + 1);
            if (next != std::string::npos && text[next] == '"' && next > i + 1) {
                i = next;
                continue;
            }
        }
        out += text[i];
    }
    return out;
}

// "TEST_CASE("name")" of each test case in the file.
std::set<std::string> cases_of(const std::string& file) {
    std::ifstream in(std::filesystem::path(PGSLUICE_SOURCE_DIR) / "tests" / file);
    const std::string text = joined({std::istreambuf_iterator<char>(in), {}});
    const std::string_view start = "TEST_CASE(";
    std::set<std::string> found;
    for (auto at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
        std::string name;
        for (auto i = text.find('"', at) + 1; i < text.size() && text[i] != '"'; ++i) {
            if (text[i] == '\\') ++i;
            name += text[i];
        }
        found.insert(name);
    }
    return found;
}

template <typename Hints>
bool lists(const Hints& hints, const std::string& text) {
    return std::ranges::any_of(hints, [&](const auto& hint) { return contains(text, hint.part); });
}

template <typename Hints>
void check_all_are_there(const Hints& hints, const std::vector<Sentence>& sentences) {
    for (const auto& hint : hints) {
        const bool there =
            std::ranges::any_of(sentences, [&](const Sentence& each) { return contains(each.text, hint.part); });
        CHECK_MESSAGE(there, "no hint in the sources has this text any more: " << hint.part);
    }
}

}  // namespace

TEST_CASE("string literals are found as the compiler joins them") {
    const auto texts = [](const std::string& source) {
        std::string all;
        for (const auto& [place, text] : sentences_in(source, "f")) all += place + " " + text + "|";
        return all;
    };
    CHECK(texts("f(\"Give one \"\n  \"of them.\");") == "f:1 Give one of them.|");
    CHECK(texts("\n// \"Not this one.\"\nf('\"', \"Say \\\"this\\\" now.\")") == "f:3 Say \"this\" now.|");
    CHECK(texts("R\"(Run it again.)\" , \"SELECT 1\", \"Content-Type: x\", \"Wrote\", \"unable to\"") ==
          "f:1 Run it again.|");
    CHECK(texts("1'000 \"{} Or start it.\" x \"ALTER TABLE {} does.\"") ==
          "f:1 {} Or start it.|f:1 ALTER TABLE {} does.|");
}

TEST_CASE("each hint in the sources has a test that follows it, or a reason why none does") {
    const auto sentences = program_sentences();
    REQUIRE(sentences.size() > 150);
    for (const Sentence& each : sentences) {
        const bool known = lists(followed_hints(), each.text) || lists(other_hints(), each.text);
        CHECK_MESSAGE(known, each.place << ": this hint is not in tests/unit/hints_table.cc: " << each.text);
    }
    check_all_are_there(followed_hints(), sentences);
    check_all_are_there(other_hints(), sentences);
}

TEST_CASE("each test that is said to follow a hint is there") {
    for (const FollowedHint& hint : followed_hints()) {
        CAPTURE(hint.part);
        CHECK_MESSAGE(cases_of(hint.file).contains(hint.test), hint.file << " has no test case '" << hint.test << "'");
    }
}
