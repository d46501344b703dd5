// word, words, sentence, paragraph.
#include "rules/transforms/fake/prose.h"

#include "rules/transforms/fake/text_fake.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

void word(Draw& draw, const Locale& locale, std::string& out) { out += locale.words.one(draw); }

void some_words(Draw& draw, const Locale& locale, std::string& out, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        if (i > 0) out += ' ';
        word(draw, locale, out);
    }
}

void words(Draw& draw, const Locale& locale, std::string& out) { some_words(draw, locale, out, 3); }

void paragraph(Draw& draw, const Locale& locale, std::string& out) {
    for (std::uint64_t sentences = 3 + draw.below(4); sentences > 0; --sentences) {
        if (!out.empty()) out += ' ';
        sentence(draw, locale, out);
    }
}

}  // namespace

void sentence(Draw& draw, const Locale& locale, std::string& out) {
    const std::size_t first = out.size();
    some_words(draw, locale, out, 5 + draw.below(8));
    if (out[first] >= 'a' && out[first] <= 'z') out[first] = static_cast<char>(out[first] - 'a' + 'A');
    out += '.';
}

std::unique_ptr<Transform> make_word(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("word", word, parameters, defaults);
}
std::unique_ptr<Transform> make_words(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("words", words, parameters, defaults);
}
std::unique_ptr<Transform> make_sentence(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("sentence", sentence, parameters, defaults);
}
std::unique_ptr<Transform> make_paragraph(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("paragraph", paragraph, parameters, defaults);
}

}  // namespace pgsluice::rules
