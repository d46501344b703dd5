#include "tests/support/json_reference.h"

#include <cctype>
#include <memory>
#include <set>

namespace pgsluice::rules_test {
namespace {

struct Node {
    char is = 's';                  // { object, [ array, s anything else
    std::string text;               // s: as written
    std::vector<std::string> gaps;  // before each child, and behind the last
    std::vector<std::string> keys;  // object
    std::vector<std::unique_ptr<Node>> children;
};

class Reader {
   public:
    explicit Reader(const std::string& text) : text_(text) {}

    std::unique_ptr<Node> value() {
        auto node = std::make_unique<Node>();
        if (text_[at_] == '{' || text_[at_] == '[') {
            node->is = text_[at_];
            nested(*node);
        } else {
            node->text = scalar();
        }
        return node;
    }
    std::string blanks() {
        std::string out;
        while (at_ < text_.size() && text_[at_] == ' ') out += text_[at_++];
        return out;
    }

   private:
    std::string scalar() {
        const auto start = at_;
        if (text_[at_] == '"') {
            at_ = text_.find('"', at_ + 1) + 1;
        } else {
            while (at_ < text_.size() && std::string(",]} ").find(text_[at_]) == std::string::npos) ++at_;
        }
        return text_.substr(start, at_ - start);
    }
    void nested(Node& node) {
        std::string gap(1, text_[at_++]);
        while (true) {
            gap += blanks();
            if (text_[at_] == '}' || text_[at_] == ']') break;
            if (text_[at_] == ',') {
                gap += text_[at_++];
                gap += blanks();
            }
            if (node.is == '{') {
                const std::string key = scalar();
                node.keys.push_back(key.substr(1, key.size() - 2));
                gap += key + blanks() + text_[at_++] + blanks();
            }
            node.gaps.push_back(gap);
            node.children.push_back(value());
            gap.clear();
        }
        node.gaps.push_back(gap + text_[at_++]);
    }

    const std::string& text_;
    std::size_t at_ = 0;
};

using Marked = std::set<const Node*>;

// One step off the path: ".name", "..name", ".*", "[*]", "[0]".
std::string take_step(std::string& path) {
    const auto end = path.find_first_of(".[", path.starts_with("..") ? 2 : 1);
    std::string step = path.substr(0, end);
    path = end == std::string::npos ? "" : path.substr(end);
    return step;
}

void mark(const Node& node, std::string path, Marked& marked);

void mark_members(const Node& node, const std::string& name, const std::string& path, Marked& marked) {
    for (std::size_t i = 0; i < node.children.size(); ++i)
        if (name == "*" || (node.is == '{' && node.keys[i] == name)) mark(*node.children[i], path, marked);
}

void mark_below(const Node& node, const std::string& name, const std::string& path, Marked& marked) {
    mark_members(node, name, path, marked);
    for (const auto& child : node.children) mark_below(*child, name, path, marked);
}

void mark(const Node& node, std::string path, Marked& marked) {
    if (path.empty()) {
        marked.insert(&node);
        return;
    }
    const std::string step = take_step(path);
    if (step.starts_with("..")) return mark_below(node, step.substr(2), path, marked);
    if (step[0] == '.') {
        mark_members(node, step.substr(1), path, marked);
        if (node.is != '[') return;
        for (const auto& element : node.children) mark_members(*element, step.substr(1), path, marked);
        return;
    }
    if (node.is != '[') {
        if (step == "[*]" || step == "[0]") mark(node, path, marked);
        return;
    }
    for (std::size_t i = 0; i < node.children.size(); ++i)
        if (step == "[*]" || step == "[" + std::to_string(i) + "]") mark(*node.children[i], path, marked);
}

JsonPlace place_of(const Node& node) {
    if (node.is != 's') return {JsonPlace::Is::nested, {}};
    if (node.text == "null") return {JsonPlace::Is::null, {}};
    if (node.text[0] != '"') return {JsonPlace::Is::scalar, node.text};
    return {JsonPlace::Is::string, node.text.substr(1, node.text.size() - 2)};
}

struct Writer {
    const Marked& marked;
    bool whole;
    const std::function<std::string(const JsonPlace&)>& replace;

    std::string write(const Node& node, bool inside) const {
        inside = inside || marked.count(&node) > 0;
        if (inside && (whole || node.is == 's')) return replace(place_of(node));
        if (node.is == 's') return node.text;
        std::string out;
        for (std::size_t i = 0; i < node.children.size(); ++i) out += node.gaps[i] + write(*node.children[i], inside);
        return out + node.gaps.back();
    }
};

}  // namespace

std::string rewrite_json(const std::string& document, const std::vector<std::string>& paths, bool whole,
                         const std::function<std::string(const JsonPlace&)>& replace) {
    Reader reader(document);
    const std::string before = reader.blanks();
    const auto root = reader.value();
    Marked marked;
    for (const std::string& path : paths) mark(*root, path.substr(1), marked);
    return before + Writer{marked, whole, replace}.write(*root, false) + reader.blanks();
}

}  // namespace pgsluice::rules_test
