#include "stream/format/json_string.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stream/format/json_writer.h"
#include "stream/format/utf8.h"

using namespace pgsluice;

namespace {

std::string in_quotes(std::string_view text, NotUtf8 otherwise = NotUtf8::hex_text,
                      JsonControls controls = JsonControls::brief) {
    std::string out = "before ";
    append_json_string(out, text, otherwise, controls);
    REQUIRE(out.starts_with("before "));
    return out.substr(7);
}

std::string in_stream(std::string_view text) {
    JsonText out;
    out.text(text);
    return std::string(out.view());
}

std::optional<std::string> unescaped(std::string text, LoneSurrogate lone = LoneSurrogate::refuse) {
    const auto size = unescape_json(text.data(), text.size(), lone);
    if (!size) return std::nullopt;
    text.resize(*size);
    return text;
}

}  // namespace

TEST_CASE("strings: what JSON cannot hold is escaped") {
    CHECK(in_quotes("") == R"("")");
    CHECK(in_quotes("plain") == R"("plain")");
    CHECK(in_quotes("a\"b\\c\nd\re\tf\bg\fh") == R"("a\"b\\c\nd\re\tf\bg\fh")");
    CHECK(in_quotes(std::string_view("\0\x01\x1f\x7f", 4)) == "\"\\u0000\\u0001\\u001f\x7f\"");
    CHECK(in_quotes("</script>") == R"("</script>")");
}

TEST_CASE("strings: an escape is found at every offset of a word") {
    for (std::size_t before = 0; before < 20; ++before) {
        for (const std::string_view special : {"\"", "\\", "\n", "\x1f"}) {
            const std::string plain(before, 'x');
            const std::string text = plain + std::string(special) + "tail of some length";
            std::string escape = in_quotes(special);
            escape = escape.substr(1, escape.size() - 2);
            CHECK(in_quotes(text) == '"' + plain + escape + "tail of some length\"");
        }
    }
}

TEST_CASE("strings: UTF-8 passes as it is") {
    CHECK(in_quotes("Zoë 漢字 🙂 end") == "\"Zoë 漢字 🙂 end\"");
    CHECK(in_quotes("\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF") ==
          "\"\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"");
}

TEST_CASE("strings: what is not UTF-8 is given as bytes, none lost") {
    CHECK(in_quotes("caf\xe9") == R"("\\x636166e9")");
    CHECK(in_quotes("ok \"quoted\" \xff") == R"("\\x6f6b202271756f7465642220ff")");
    for (const std::string_view bad :
         {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
          "\xF5\x80\x80\x80", "\xE2\x82", "\xF0\x9F\x99", "\xC3"}) {
        CHECK(in_quotes(bad).starts_with(R"("\\x)"));
    }
}

TEST_CASE("strings: each writer's bytes for control characters and for what is not UTF-8") {
    const std::string_view controls("a\"b\\\b\f\n\r\t\x01", 10);
    CHECK(in_stream(controls) == R"("a\"b\\\b\f\n\r\t\u0001")");
    CHECK(in_quotes(controls) == in_stream(controls));
    CHECK(in_quotes(controls, NotUtf8::unchecked, JsonControls::coded) ==
          R"("a\"b\\\u0008\u000c\u000a\u000d\u0009\u0001")");

    CHECK(in_stream("caf\xe9") == R"({"hex":"636166e9"})");
    CHECK(in_quotes("caf\xe9") == R"("\\x636166e9")");
    CHECK(in_quotes("caf\xe9\n", NotUtf8::latin1) == R"("caf\u00e9\n")");
    CHECK(in_quotes("café\n", NotUtf8::latin1) == "\"café\\n\"");
    CHECK(in_quotes("caf\xe9", NotUtf8::unchecked) == "\"caf\xe9\"");
}

TEST_CASE("strings: a long text is escaped like its pieces") {
    for (const std::size_t size : {511U, 512U, 513U, 4095U, 4096U, 4097U, 20000U}) {
        const std::string plain(size, 'x');
        CHECK(in_quotes(plain + "\n" + plain) == '"' + plain + "\\n" + plain + '"');
        CHECK(in_stream(plain + "\n" + plain) == '"' + plain + "\\n" + plain + '"');
        CHECK(in_quotes(plain + "é\n") == '"' + plain + "é\\n\"");  // the character may lie on a piece's edge
        CHECK(in_quotes(plain + "\xff").starts_with(R"("\\x7878)"));
        CHECK(in_stream(plain + "\xff").starts_with(R"({"hex":"7878)"));
    }
}

TEST_CASE("escapes are read back") {
    CHECK(unescaped("") == "");
    CHECK(unescaped("plain") == "plain");
    CHECK(unescaped(R"(a\"b\\c\/d\b\f\n\r\t)") == "a\"b\\c/d\b\f\n\r\t");
    CHECK(unescaped(R"(\u0041\u00e9\u6f22\uD83D\ude42!)") == "Aé漢🙂!");
    CHECK(unescaped(R"(\u0000)") == std::string(1, '\0'));
    for (const char* bad : {"\\", "a\\", R"(\x)", R"(\u)", R"(\u12)", R"(\u12g4)", R"(\ud83d\u12)", R"(\U0041)"}) {
        CAPTURE(bad);
        CHECK_FALSE(unescaped(bad));
        CHECK_FALSE(unescaped(bad, LoneSurrogate::replace));
    }
}

TEST_CASE("half of a surrogate pair is refused or replaced, as the reader asks") {
    const std::string replacement = "\xEF\xBF\xBD";
    for (const auto& lone :
         std::vector<std::pair<const char*, std::string>>{{R"(\ud800)", replacement},
                                                          {R"(\udc00)", replacement},
                                                          {R"(a\ud800b)", "a" + replacement + "b"},
                                                          {R"(\ud800\n)", replacement + "\n"},
                                                          {R"(\ud800\u0041)", replacement + "A"},
                                                          {R"(\ud800\ud800)", replacement + replacement},
                                                          {R"(\ud800\ud83d\ude42)", replacement + "🙂"},
                                                          {R"(\ude42\ud83d)", replacement + replacement}}) {
        CAPTURE(lone.first);
        CHECK_FALSE(unescaped(lone.first));
        CHECK(unescaped(lone.first, LoneSurrogate::replace) == lone.second);
    }
}

TEST_CASE("bytes that are not UTF-8 pass through the reader") { CHECK(unescaped("caf\xe9\\n") == "caf\xe9\n"); }

TEST_CASE("UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF") {
    for (const std::string_view good : {"", "plain", "é漢🙂", "\xF4\x8F\xBF\xBF"}) CHECK(is_utf8(good));
    for (const std::string_view bad :
         {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
          "\xF5\x80\x80\x80", "\xE2\x82", "\xF0\x9F\x99", "\xC3"})
        CHECK_FALSE(is_utf8(bad));
}
