// The table of transforms: its examples give what it says, and the page shows it.
//
// With PGSLUICE_UPDATE_PAGES=1 the page is written.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "rules/transforms/transform_table.h"
#include "tests/support/text.h"
#include "tests/unit/transform_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::contains;

namespace {

constexpr const char* page_path = PGSLUICE_SOURCE_DIR "/rules/transforms/README.md";
const std::string begin_marker = "<!-- begin: transforms -->\n";
const std::string end_marker = "<!-- end: transforms -->";

std::string read_page() {
    std::ifstream file(page_path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

template <typename Call>
void for_each_example(const Call& call) {
    for (const rules::TransformKind& kind : rules::transform_kinds()) {
        for (const rules::TransformExample& example : kind.examples) {
            if (example.to.empty()) continue;
            CAPTURE(kind.name);
            CAPTURE(example.parameters);
            CAPTURE(example.from);
            call(kind, example);
        }
    }
}

ColumnType column_type(const rules::TransformKind& kind, const rules::TransformExample& example) {
    return kind.name == "xml" ? xml_type : type_for(example.type);
}

OneTransform transform_of(const rules::TransformKind& kind, const rules::TransformExample& example,
                          const std::string& secret = example_secret) {
    return {std::string(kind.name), std::string(example.parameters), column_type(kind, example), secret};
}

}  // namespace

// They are golden vectors: another build or machine must give the same.
TEST_CASE("the examples of the table of transforms give what it says") {
    for_each_example([](const rules::TransformKind& kind, const rules::TransformExample& example) {
        CHECK(std::string(transform_of(kind, example)(example.from, "anna")) == example.to);
    });
}

TEST_CASE("rules/transforms/README.md shows the table (refresh: PGSLUICE_UPDATE_PAGES=1)") {
    const std::string page = read_page();
    const std::size_t begin = page.find(begin_marker);
    const std::size_t end = page.find(end_marker);
    REQUIRE(begin != std::string::npos);
    REQUIRE(end != std::string::npos);
    const std::string table = "\n" + rules::transform_page() + "\n";
    const std::size_t from = begin + begin_marker.size();
    if (std::getenv("PGSLUICE_UPDATE_PAGES") != nullptr)
        std::ofstream(page_path) << page.substr(0, from) << table << page.substr(end);
    else
        CHECK(page.substr(from, end - from) == table);
}

TEST_CASE("a transform that needs no secret takes none, and any other gives another value under another secret") {
    for_each_example([](const rules::TransformKind& kind, const rules::TransformExample& example) {
        OneTransform one = transform_of(kind, example);
        OneTransform other = transform_of(kind, example, "another secret");
        OneTransform again = transform_of(kind, example);
        bool differs = false;
        const rules::TransformExample* examples = kind.examples.data();
        for (std::size_t i = 0; i < kind.examples.size(); ++i) {
            if (examples[i].type != example.type || examples[i].to.empty()) continue;
            const std::string made(one(examples[i].from));
            CHECK(made == again(examples[i].from));
            differs = differs || made != other(examples[i].from);
        }
        // Of a few values, one value may come out the same by chance: these are asked for more in another test.
        const std::set<std::string_view> of_few{"boolean", "choice", "gender", "integer", "month", "title", "weekday"};
        const bool few = of_few.contains(kind.name);
        if (!few) CHECK(differs == kind.keyed);
    });
}

TEST_CASE("on a unique column a transform is refused unless the table says that values stay different") {
    for_each_example([](const rules::TransformKind& kind, const rules::TransformExample& example) {
        Column unique = column("c", column_type(kind, example), false, element_of(column_type(kind, example)));
        unique.unique = true;
        const std::string error =
            error_of([&] { OneTransform(std::string(kind.name), std::string(example.parameters), unique); });
        if (kind.unique.empty()) CHECK(contains(error, "can make different values the same"));
        if (kind.unique == "yes") CHECK(error.empty());
    });
}

TEST_CASE("every transform leaves NULL, but constant") {
    for_each_example([](const rules::TransformKind& kind, const rules::TransformExample& example) {
        OneTransform one = transform_of(kind, example);
        const Values row{null, text("")};
        Change change;
        change.new_row = row;
        change.relation = one.compiled().target().get();
        Arena arena;
        REQUIRE(one.compiled().apply(change, arena));
        CHECK(change.new_row[0].is_null() == (kind.name != "constant"));
    });
}
