#include "rules/file/node.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "rules/place.h"
#include "stream/process/text_file.h"

namespace pgsluice::rules {
namespace {

constexpr std::size_t max_depth = 32;
constexpr std::size_t max_nodes = 1'000'000;  // aliases of aliases can make a small file endless

int line_of(const YAML::Node& yaml) { return yaml.Mark().line + 1; }

class Converter {
   public:
    explicit Converter(const std::string& name) : name_(name) {}

    // `line` is where the node is used: an alias has the mark of what it refers to.
    Node convert(const YAML::Node& yaml, int line) {
        Node node;
        node.line = line_of(yaml);
        if (++nodes_ > max_nodes) fail(line, "with its aliases it has more than a million entries");
        if (yaml.IsScalar()) {
            node.kind = Node::Kind::scalar;
            node.text = yaml.Scalar();
            node.quoted = yaml.Tag() == "!";
        } else if (yaml.IsSequence() || yaml.IsMap()) {
            convert_items(node, yaml, line);
        }
        return node;
    }

   private:
    [[noreturn]] void fail(int line, const std::string& reason, std::string hint = {}) const {
        throw refuse({name_, line, {}, 0, {}}, reason, std::move(hint));
    }

    void convert_items(Node& node, const YAML::Node& yaml, int line) {
        for (const YAML::Node& outer : around_)
            if (outer.is(yaml)) fail(line, "an alias refers to something that contains it");
        if (around_.size() == max_depth) fail(line, "nested too deeply");
        around_.push_back(yaml);
        if (yaml.IsSequence()) {
            node.kind = Node::Kind::list;
            for (const auto& item : yaml) node.items.push_back(convert(item, std::max(line_of(item), line)));
        } else {
            node.kind = Node::Kind::map;
            for (const auto& entry : yaml) add_entry(node, entry.first, entry.second);
        }
        around_.pop_back();
    }

    void add_entry(Node& map, const YAML::Node& key, const YAML::Node& value) {
        const int line = line_of(key);
        if (!key.IsScalar()) fail(line, "a key must be a plain name");
        const std::string& text = key.Scalar();
        if (text == "<<")
            fail(line, "merge keys ('<<') are not supported",
                 "Write the entries out, or use an alias for a whole list or map.");
        if (std::any_of(map.items.begin(), map.items.end(), [&](const Node& item) { return item.key == text; }))
            fail(line, fmt::format("the key '{}' appears twice", text));
        Node item = convert(value, line);
        item.key = text;
        item.line = line;
        map.items.push_back(std::move(item));
    }

    const std::string& name_;
    std::vector<YAML::Node> around_;  // the lists and maps that are being converted, outermost first
    std::size_t nodes_ = 0;
};

// Where a document begins that is not empty.
class Contents : public YAML::EventHandler {
   public:
    [[nodiscard]] const std::optional<YAML::Mark>& begin() const { return begin_; }

    void OnDocumentStart(const YAML::Mark& mark) override { start_ = mark; }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
    void OnAlias(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override { note(); }
    void OnScalar(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  const std::string& /*value*/) override {
        note();
    }
    void OnSequenceStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                         YAML::EmitterStyle::value /*style*/) override {
        note();
    }
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                    YAML::EmitterStyle::value /*style*/) override {
        note();
    }
    void OnMapEnd() override {}

   private:
    void note() {
        if (!begin_) begin_ = start_;
    }

    YAML::Mark start_;
    std::optional<YAML::Mark> begin_;
};

// Not YAML::LoadAll(), which never ends where a text begins with a comma.
void refuse_second_document(const std::string& text, const std::string& name) {
    std::istringstream in(text);
    YAML::Parser parser(in);
    Contents first;
    Contents second;
    if (!parser.HandleNextDocument(first) || !parser.HandleNextDocument(second) || !second.begin()) return;
    throw refuse({name, second.begin()->line + 1, {}, 0, {}}, "a second YAML document");
}

}  // namespace

Node read_yaml(const std::string& text, const std::string& name) {
    try {
        refuse_second_document(text, name);
        const YAML::Node document = YAML::Load(text);
        return Converter(name).convert(document, line_of(document));
    } catch (const YAML::Exception& error) {
        throw refuse({name, error.mark.line + 1, {}, 0, {}}, fmt::format("not YAML: {}", error.msg));
    }
}

std::string read_yaml_text(const std::string& path) {
    auto text = read_text_file(path);
    if (!text)
        throw usage_error(fmt::format("unable to read '{}'", path),
                          "Check that the file exists, is readable and has at most 16 MiB.");
    return std::move(*text);
}

}  // namespace pgsluice::rules
