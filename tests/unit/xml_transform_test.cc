// xml: another transform at paths; all else stays, and nothing hidden shows beside it.
#include <doctest/doctest.h>

#include "tests/support/text.h"
#include "tests/unit/transform_fixture.h"

using namespace pgsluice;
using namespace pgsluice::rules_test;
using pgsluice::test::contains;

namespace {

std::string in_xml(const std::string& parameters, std::string_view xml) {
    return std::string(OneTransform("xml", parameters, xml_type)(xml));
}
std::string masked(const std::string& path, std::string_view xml) {
    return in_xml("path: '" + path + "', transform: {type: mask}", xml);
}
std::string refused(const std::string& path) {
    return error_of([&] { (void)masked(path, "<a/>"); });
}

}  // namespace

TEST_CASE("xml: texts at a path are transformed, all else stays as it is") {
    const std::string xml =
        "<?xml version=\"1.0\"?>\n<order id='7'><!-- c --><name>Keller</name><a><name lang=\"de\">Berg</name></a>"
        "<note/>x &lt; y</order>";
    CHECK(masked("/order/name", xml) ==
          "<?xml version=\"1.0\"?>\n<order id='7'><!-- c --><name>K****r</name><a><name lang=\"de\">Berg</name></a>"
          "<note/>x &lt; y</order>");
    CHECK(masked("//name", xml) ==
          "<?xml version=\"1.0\"?>\n<order id='7'><!-- c --><name>K****r</name><a><name lang=\"de\">B**g</name></a>"
          "<note/>x &lt; y</order>");
    CHECK(masked("/order/*/name", xml) ==
          "<?xml version=\"1.0\"?>\n<order id='7'><!-- c --><name>Keller</name><a><name lang=\"de\">B**g</name></a>"
          "<note/>x &lt; y</order>");
    CHECK(masked("/name", xml) == xml);
    CHECK(masked("/order/names", xml) == xml);
    CHECK(masked("//a//b", "<a><c><b>Keller</b></c></a><b>Keller</b>") == "<a><c><b>K****r</b></c></a><b>Keller</b>");
    CHECK(masked("/p:a", "<p:a>Keller</p:a ><a>Keller</a>") == "<p:a>K****r</p:a ><a>Keller</a>");
    CHECK(masked("//name", "").empty());
}

TEST_CASE("xml: attributes have paths of their own") {
    const std::string xml = "<a x = 'abc' y=\"abc\"><b x='a&quot;c'/></a>";
    CHECK(masked("/a/@x", xml) == "<a x = \"a*c\" y=\"abc\"><b x='a&quot;c'/></a>");
    CHECK(masked("//@x", xml) == "<a x = \"a*c\" y=\"abc\"><b x=\"a*c\"/></a>");
    CHECK(masked("//b/@*", xml) == "<a x = 'abc' y=\"abc\"><b x=\"a*c\"/></a>");
    CHECK(masked("/a", xml) == xml);
    CHECK(in_xml("paths: [/a/@x, //@y], transform: {type: redact, length: 1}", xml) ==
          "<a x = \"*\" y=\"*\"><b x='a&quot;c'/></a>");
}

TEST_CASE("xml: a text is one, whatever it is written with, and comments in it are left out") {
    CHECK(masked("/a", "<a>Ke<!-- Keller -->l<![CDATA[le]]>r<?x Keller?></a>") == "<a>K****r</a>");
    CHECK(masked("/a", "<a>&lt;&#98;&#x63;&#x1F600;&gt;</a>") == "<a>&lt;***&gt;</a>");
    CHECK(masked("/a", "<a>\n <b>Keller</b>\n <c>Berg</c>xyz</a>") == "<a>\n <b>K****r</b>\n <c>B**g</c>x*z</a>");
    CHECK(in_xml("path: /a, transform: {type: regex, pattern: x, replace: '<&\">'}", "<a>x</a>") ==
          "<a>&lt;&amp;&quot;&gt;</a>");
    CHECK(in_xml("path: /a, transform: {type: 'null'}", "<a>x<b>y</b></a>") == "<a><b></b></a>");
    CHECK(in_xml("path: /a, transform: {type: regex, pattern: '&#x1F600;', replace: ''}", "<a>&#x1F600;</a>") ==
          "<a>\xF0\x9F\x98\x80</a>");
}

TEST_CASE("xml: what is none, or is not known, stops and does not show") {
    for (const char* bad : {"<a>canary", "<a>canary</b>", "</a>canary", "<a canary>x</a>", "<a x=canary>x</a>",
                            "<a x='canary>x</a>", "<a>canary<", "<a>&canary;</a>", "<a>&#xD800;canary</a>",
                            "<a>&#canary;</a>", "<a><!-- canary </a>", "<a><![CDATA[canary</a>",
                            "<!DOCTYPE a [<!ENTITY e 'canary'>]><a>&e;</a>", "<a>&canary</a>", "<a>&#0;canary</a>"}) {
        CAPTURE(bad);
        const std::string error = error_of([&] { (void)masked("/a", bad); });
        CHECK(contains(error, "unable to apply rule"));
        CHECK_FALSE(contains(error, "canary"));
    }
    CHECK(contains(error_of([] { OneTransform("xml", "path: /a, transform: {type: mask}", text_type); }),
                   "it takes xml"));
}

TEST_CASE("xml: paths that are none are refused, and as the hint says they are taken") {
    for (const char* bad : {"", "a", "/", "//", "/a/", "/a/@b/c", "/a[1]", "/a/text()", "/@id", "a/b", "///a"}) {
        CAPTURE(bad);
        const std::string error = refused(bad);
        CHECK(contains(error, "is not a path into XML"));
        CHECK(contains(error, "Paths look like /order/customer/name, //name or /order/@id."));
    }
    for (const char* good : {"/order/customer/name", "//name", "/order/@id", "//@id", "/*"})
        CHECK(refused(good).empty());
}
