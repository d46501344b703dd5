// xml: applies another transform to what lies at some paths of an xml value: to an attribute, or to the texts in an
// element and in those within it. All else stays as it is, but comments and instructions in such an element are left
// out, for they may say the same.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>
#include <vector>

#include "rules/transforms/inner.h"
#include "rules/transforms/transforms.h"
#include "rules/transforms/xml_path.h"

namespace pgsluice::rules {
namespace {

constexpr Oid xml_oid = 142;
constexpr const char* not_xml = "it is not XML";
constexpr const char* blanks = " \t\r\n";

std::string_view cut(std::string_view& rest, std::size_t bytes) {
    if (bytes > rest.size()) throw Unreadable{not_xml};
    const std::string_view part = rest.substr(0, bytes);
    rest.remove_prefix(bytes);
    return part;
}

// Up to `end` and with it, without its own first `begin` characters and without `end`.
std::string_view cut_between(std::string_view& rest, std::size_t begin, std::string_view end) {
    const std::size_t at = rest.find(end, begin);
    if (at == std::string_view::npos) throw Unreadable{not_xml};
    const std::string_view whole = cut(rest, at + end.size());
    return whole.substr(begin, whole.size() - begin - end.size());
}

void append_character(std::string& out, std::uint32_t code) {
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
        put(0xc0 | code >> 6);
    } else {
        put(code < 0x10000 ? 0xe0 | code >> 12 : 0xf0 | code >> 18);
        if (code >= 0x10000) put(0x80 | (code >> 12 & 0x3f));
        put(0x80 | (code >> 6 & 0x3f));
    }
    put(0x80 | (code & 0x3f));
}

// "lt" or "#38". Those that a document type defines are not known.
void append_entity(std::string& out, std::string_view name) {
    constexpr std::pair<std::string_view, char> known[] = {
        {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [entity, character] : known)
        if (entity == name) {
            out += character;
            return;
        }
    const bool hex = name.starts_with("#x");
    const std::string_view digits = name.substr(std::min<std::size_t>(name.size(), hex ? 2 : 1));
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (!name.starts_with('#') || digits.empty() || error != std::errc{} || end != digits.data() + digits.size() ||
        code == 0 || code > 0x10ffff || surrogate)
        throw Unreadable{"it has an entity that is not known"};
    append_character(out, code);
}

void append_decoded(std::string& out, std::string_view text) {
    while (!text.empty()) {
        const std::size_t plain = std::min(text.find('&'), text.size());
        out += cut(text, plain);
        if (!text.empty()) append_entity(out, cut_between(text, 1, ";"));
    }
}

void append_coded(std::string& out, std::string_view text) {
    for (const char c : text) {
        switch (c) {
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '&':
                out += "&amp;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
}

class XmlRewriter {
   public:
    XmlRewriter(std::string_view text, const std::vector<XmlPath>& paths, const Transform& inner, Arena& arena)
        : rest_(text), paths_(paths), inner_(inner), arena_(arena) {}

    Value run() {
        while (!rest_.empty()) step();
        if (!elements_.empty()) throw Unreadable{not_xml};
        return Value(arena_.copy(out_));
    }

   private:
    [[nodiscard]] bool inside() const { return hidden_from_ != 0; }

    void step() {
        if (!rest_.starts_with('<')) return text(cut(rest_, std::min(rest_.find('<'), rest_.size())));
        if (rest_.starts_with("<!--")) return keep("<!--", cut_between(rest_, 4, "-->"), "-->");
        if (rest_.starts_with("<?")) return keep("<?", cut_between(rest_, 2, "?>"), "?>");
        if (rest_.starts_with("<![CDATA[")) return characters(cut_between(rest_, 9, "]]>"));
        if (rest_.starts_with("<!")) throw Unreadable{"it has a document type, whose entities are not known"};
        if (inside()) flush();
        if (rest_.starts_with("</")) return end_tag(cut_between(rest_, 2, ">"));
        start_tag();
    }

    void keep(std::string_view begin, std::string_view content, std::string_view end) {
        if (!inside()) out_.append(begin).append(content).append(end);
    }
    void text(std::string_view raw) {
        if (inside())
            append_decoded(pending_, raw);
        else
            out_ += raw;
    }
    void characters(std::string_view content) {
        if (inside())
            pending_ += content;
        else
            keep("<![CDATA[", content, "]]>");
    }

    // Blanks between elements are no value.
    void flush() {
        if (pending_.find_first_not_of(blanks) == std::string::npos)
            out_ += pending_;
        else
            append_coded(out_, transformed(pending_));
        pending_.clear();
    }
    std::string_view transformed(std::string_view value) {
        const Value made = inner_.apply(value, ValueType::text, arena_);
        return made.is_text() ? made.text() : std::string_view{};
    }

    void end_tag(std::string_view name) {
        const std::string_view bare = name.substr(0, name.find_last_not_of(blanks) + 1);
        if (elements_.empty() || elements_.back() != bare) throw Unreadable{not_xml};
        out_.append("</").append(name).append(">");
        if (hidden_from_ == elements_.size()) hidden_from_ = 0;
        elements_.pop_back();
    }

    void start_tag() {
        out_ += cut(rest_, 1);
        elements_.push_back(name());
        for (;;) {
            blank();
            if (rest_.starts_with("/>") || rest_.starts_with('>')) break;
            attribute();
        }
        const bool empty = rest_.starts_with('/');
        out_ += cut(rest_, empty ? 2 : 1);
        if (empty) return elements_.pop_back();
        for (const XmlPath& path : paths_)
            if (!inside() && path.is_element(elements_)) hidden_from_ = elements_.size();
    }

    void attribute() {
        const std::string_view called = name();
        blank();
        if (!rest_.starts_with('=')) throw Unreadable{not_xml};
        out_ += cut(rest_, 1);
        blank();
        if (!rest_.starts_with('"') && !rest_.starts_with('\'')) throw Unreadable{not_xml};
        const std::string_view quote = rest_.substr(0, 1);
        const std::string_view raw = cut_between(rest_, 1, quote);
        bool chosen = false;
        for (const XmlPath& path : paths_) chosen = chosen || path.is_attribute(elements_, called);
        if (!chosen) {
            out_.append(quote).append(raw).append(quote);
            return;
        }
        std::string decoded;
        append_decoded(decoded, raw);
        out_ += '"';
        append_coded(out_, transformed(decoded));
        out_ += '"';
    }

    std::string_view name() {
        const std::size_t length = std::min(rest_.find_first_of(" \t\r\n/>='\"<"), rest_.size());
        if (length == 0) throw Unreadable{not_xml};
        const std::string_view found = cut(rest_, length);
        out_ += found;
        return found;
    }
    void blank() { out_ += cut(rest_, std::min(rest_.find_first_not_of(blanks), rest_.size())); }

    std::string_view rest_;
    const std::vector<XmlPath>& paths_;
    const Transform& inner_;
    Arena& arena_;
    std::vector<std::string_view> elements_;
    std::size_t hidden_from_ = 0;  // of elements_: in which one a path has ended; 0: in none
    std::string out_;
    std::string pending_;  // text of it that was not transformed yet
};

class Xml : public Transform {
   public:
    Xml(std::vector<XmlPath> paths, std::string names, std::unique_ptr<Transform> inner)
        : paths_(std::move(paths)), names_(std::move(names)), inner_(std::move(inner)) {}

    std::string unfit(const Column& column, ValueType /*type*/) const override {
        const Oid oid = column.base_oid != 0 ? column.base_oid : column.type_oid;
        return oid == xml_oid && column.element_oid == 0 ? std::string{} : takes("xml", column);
    }
    bool repeats() const override { return inner_->repeats(); }
    Value apply(std::string_view text, ValueType /*type*/, Arena& arena) const override {
        return XmlRewriter(text, paths_, *inner_, arena).run();
    }
    std::string describe() const override { return fmt::format("in {} {}", names_, inner_->describe()); }
    std::string meaning() const override { return fmt::format("in {} {}", names_, inner_->meaning()); }

   private:
    std::vector<XmlPath> paths_;
    std::string names_;
    std::unique_ptr<Transform> inner_;
};

}  // namespace

std::unique_ptr<Transform> make_xml(Fields& parameters, const TransformDefaults& defaults) {
    const std::vector<std::string> names = read_one_or_more(parameters, "path", "paths");
    std::vector<XmlPath> paths;
    for (const std::string& name : names) paths.emplace_back(name, parameters.place());
    auto inner = read_inner_of_texts(parameters, defaults, "XML");
    return std::make_unique<Xml>(std::move(paths), fmt::format("{}", fmt::join(names, ", ")), std::move(inner));
}

}  // namespace pgsluice::rules
