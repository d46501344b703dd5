#include "rules/values/leaves.h"

#include "rules/place.h"
#include "rules/values/json_scanner.h"

namespace pgsluice::rules {
namespace {

constexpr std::size_t deepest = 200;

bool is_plain_name(std::string_view name) {
    if (name.empty()) return false;
    for (const char c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (!plain) return false;
    }
    return true;
}

void append_name(std::string& path, std::string_view name) {
    path += '.';
    if (is_plain_name(name)) {
        path += name;
        return;
    }
    path += '"';
    for (const char c : name) {
        if (c == '"' || c == '\\') path += '\\';
        path += c;
    }
    path += '"';
}

class Walk {
   public:
    Walk(std::string_view json, const UseLeaf* leaf, const std::function<void(std::string_view)>* name)
        : cursor_(json), leaf_(leaf), name_(name) {}

    void run() {
        value(0);
        cursor_.expect_end();
    }

   private:
    void value(std::size_t depth) {
        if (depth > deepest) throw Unreadable{"it is nested too deeply"};
        const char first = cursor_.peek();
        if (first == '{') return object(depth);
        if (first == '[') return array(depth);
        if (first == '"') {
            decode_json_string(cursor_.string(), text_);
            return use(text_);
        }
        const std::string_view scalar = cursor_.scalar();
        if (scalar != "null") use(scalar);
    }
    void object(std::size_t depth) {
        cursor_.expect('{');
        if (cursor_.skip('}')) return;
        do {
            const std::size_t before = path_.size();
            decode_json_string(cursor_.string(), text_);
            if (name_ != nullptr) (*name_)(text_);
            append_name(path_, text_);
            cursor_.expect(':');
            value(depth + 1);
            path_.resize(before);
        } while (cursor_.skip(','));
        cursor_.expect('}');
    }
    void array(std::size_t depth) {
        cursor_.expect('[');
        if (cursor_.skip(']')) return;
        path_ += "[*]";
        do {
            value(depth + 1);
        } while (cursor_.skip(','));
        path_.resize(path_.size() - 3);
        cursor_.expect(']');
    }
    void use(std::string_view text) {
        if (leaf_ != nullptr) (*leaf_)(path_, text);
    }

    JsonCursor cursor_;
    const UseLeaf* leaf_;
    const std::function<void(std::string_view)>* name_;
    std::string path_ = "$";
    std::string text_;
};

bool walk(std::string_view json, const UseLeaf* leaf, const std::function<void(std::string_view)>* name) {
    try {
        Walk(json, leaf, name).run();
        return true;
    } catch (const Unreadable&) {
        return false;
    }
}

// Up to the quote that ends it; `rest` begins after the first one. False where there is none.
bool take_quoted(std::string_view& rest, std::string& element) {
    while (!rest.empty()) {
        char c = rest[0];
        rest.remove_prefix(1);
        if (c == '"') return true;
        if (c == '\\' && !rest.empty()) {
            c = rest[0];
            rest.remove_prefix(1);
        }
        element += c;
    }
    return false;
}

}  // namespace

bool each_json_leaf(std::string_view json, const UseLeaf& use) { return walk(json, &use, nullptr); }

bool each_json_name(std::string_view json, const std::function<void(std::string_view)>& use) {
    return walk(json, nullptr, &use);
}

bool each_array_element(std::string_view text, const std::function<void(std::string_view)>& use) {
    const std::size_t begin = text.find('{');  // bounds may come before: [0:1]={a,b}
    if (begin == std::string_view::npos || !text.ends_with('}')) return false;
    std::string_view rest = text.substr(begin);
    std::string element;
    while (!rest.empty()) {
        const char c = rest[0];
        if (c == '{' || c == '}' || c == ',') {
            rest.remove_prefix(1);
            continue;
        }
        element.clear();
        if (c == '"') {
            rest.remove_prefix(1);
            if (!take_quoted(rest, element)) return false;
            use(element);
            continue;
        }
        const std::string_view plain = rest.substr(0, rest.find_first_of(",}"));
        rest.remove_prefix(plain.size());
        if (plain != "NULL") use(plain);
    }
    return true;
}

}  // namespace pgsluice::rules
