// json: applies another transform to what lies at some paths of a json or jsonb value. Every other byte stays as it is.
//
// At a path's end a string is transformed as its text. A number, true and false are transformed as they are written and
// become strings. An object or array is replaced as a whole by a transform that does not look at values (null,
// constant, redact); any other is applied to each value in it. null stays null, but for a constant.
//
// Or what lies there is deleted, with the member's name, or becomes a given JSON value; no other is made.
#include <fmt/format.h>

#include "rules/transforms/inner.h"
#include "rules/transforms/transforms.h"
#include "rules/values/json_path.h"
#include "rules/values/json_scanner.h"
#include "stream/format/json_string.h"

namespace pgsluice::rules {
namespace {

constexpr int max_depth = 1000;  // of objects and arrays on a path; one that nothing is looked for in may be deeper

struct Buffers {
    std::string out;
    std::string decoded;
};

class JsonRewriter {
   public:
    JsonRewriter(std::string_view text, const JsonPaths& paths, const InnerEdit& edit, Arena& arena, Buffers& buffers)
        : text_(text), cursor_(text), paths_(paths), edit_(edit), arena_(arena), buffers_(buffers) {
        buffers_.out.clear();
    }

    Value run() {
        const bool goes = value(paths_.start(), 0);
        cursor_.expect_end();
        // $[0] of what is no array: it is a single element, and JSON has no value without one.
        if (goes) {
            cut(0, text_.size());
            buffers_.out += "null";
        }
        if (copied_ == 0 && buffers_.out.empty()) return Value(text_);
        buffers_.out.append(text_, copied_);
        return Value(arena_.copy(buffers_.out));
    }

   private:
    // Whether it is to be removed.
    bool value(JsonPaths::States states, int depth) {
        if (depth > max_depth) throw Unreadable{"it is nested too deeply"};
        if (states != 0 && cursor_.peek() != '[') states = paths_.no_array(states);
        if (states != 0 && paths_.ends(states)) return at_end();
        if (states != 0 && cursor_.skip('{'))
            object(states, depth);
        else if (states != 0 && cursor_.skip('['))
            array(states, depth);
        else
            cursor_.skip_value();
        return false;
    }

    bool at_end() {
        if (edit_.inner != nullptr) {
            transform_value();
            return false;
        }
        const std::size_t start = cursor_.at();
        cursor_.skip_value();
        if (!edit_.set) return true;
        cut(start, cursor_.end_of_last());
        buffers_.out += *edit_.set;
        return false;
    }

    void object(JsonPaths::States states, int depth) {
        if (cursor_.skip('}')) return;
        members('}', [&](std::size_t /*index*/) {
            const std::string_view key = name(cursor_.string());
            const auto next = paths_.member(states, key);
            cursor_.expect(':');
            return value(next, depth + 1);
        });
    }

    void array(JsonPaths::States states, int depth) {
        if (cursor_.skip(']')) return;
        const auto in_elements = paths_.members(states);
        members(']', [&](std::size_t index) {
            const auto next = paths_.element(states, index);
            return value(cursor_.peek() == '[' ? next : next | in_elements, depth + 1);
        });
    }

    // Up to `close`. Those of which `read` says so are removed, with the comma before them, or after the first.
    template <typename Read>
    void members(char close, const Read& read) {
        std::size_t kept_end = 0;
        bool more = true;
        for (std::size_t index = 0; more; ++index) {
            const std::size_t start = cursor_.at();
            const bool goes = read(index);
            const std::size_t end = cursor_.end_of_last();
            more = cursor_.skip(',');
            if (!goes)
                kept_end = end;
            else if (kept_end != 0)
                cut(kept_end, end);
            else
                cut(start, more ? cursor_.at() : end);
        }
        cursor_.expect(close);
    }

    // Up to `begin` it is copied, unless it was cut already.
    void cut(std::size_t begin, std::size_t end) {
        if (begin > copied_) buffers_.out.append(text_, copied_, begin - copied_);
        copied_ = end;
    }

    std::string_view name(std::string_view token) {
        if (token.find('\\') == std::string_view::npos) return token.substr(1, token.size() - 2);
        decode_json_string(token, buffers_.decoded);
        return buffers_.decoded;
    }

    void transform_value() {
        const char first = cursor_.peek();
        if (first != '{' && first != '[') return leaf();
        if (!edit_.inner->ignores_value()) return leaves();
        const std::size_t start = cursor_.at();
        cursor_.skip_value();
        replace(start, edit_.inner->apply({}, ValueType::text, arena_));
    }

    // All values below, keys left alone: a string followed by a colon is a key.
    void leaves() {
        std::size_t depth = 0;
        do {
            if (cursor_.skip('{') || cursor_.skip('[')) {
                ++depth;
            } else if (cursor_.skip('}') || cursor_.skip(']')) {
                --depth;
            } else if (!cursor_.skip(',')) {
                leaf();
            }
        } while (depth > 0);
    }

    void leaf() {
        const std::size_t start = cursor_.at();
        const bool string = cursor_.peek() == '"';
        const std::string_view token = string ? cursor_.string() : cursor_.scalar();
        if (string && cursor_.skip(':')) return;
        if (token == "null") return replace_null(start);
        if (string) decode_json_string(token, buffers_.decoded);
        const std::string_view before = string ? std::string_view(buffers_.decoded) : token;
        const Value after = edit_.inner->apply(before, ValueType::text, arena_);
        if (after.is_text() && after.text() == before && !edit_.inner->ignores_value()) return;
        replace(start, start + token.size(), after);
    }

    void replace_null(std::size_t start) {
        const Value value = edit_.inner->for_null(ValueType::text);
        if (value.is_text()) replace(start, start + 4, value);
    }

    void replace(std::size_t start, const Value& value) { replace(start, cursor_.end_of_last(), value); }

    void replace(std::size_t start, std::size_t end, const Value& value) {
        cut(start, end);
        if (value.is_text()) {
            append_json_string(buffers_.out, value.text(), NotUtf8::unchecked, JsonControls::coded);
        } else {
            buffers_.out += "null";
        }
    }

    std::string_view text_;
    JsonCursor cursor_;
    const JsonPaths& paths_;
    const InnerEdit& edit_;
    Arena& arena_;
    Buffers& buffers_;
    std::size_t copied_ = 0;
};

class Json : public Transform {
   public:
    Json(JsonPaths paths, std::string names, InnerEdit edit)
        : paths_(std::move(paths)), names_(std::move(names)), edit_(std::move(edit)) {}

    std::string unfit(const Column& column, ValueType type) const override {
        return type == ValueType::json ? std::string{} : takes("json or jsonb", column);
    }
    bool repeats() const override { return edit_.repeats(); }
    Value apply(std::string_view text, ValueType /*type*/, Arena& arena) const override {
        thread_local Buffers buffers;
        return JsonRewriter(text, paths_, edit_, arena, buffers).run();
    }
    std::string describe() const override {
        return edit_.inner != nullptr ? in_names(edit_.inner->describe()) : edit_.describe(names_);
    }
    std::string meaning() const override {
        return edit_.inner != nullptr ? in_names(edit_.inner->meaning()) : edit_.describe(names_);
    }

   private:
    [[nodiscard]] std::string in_names(const std::string& inner) const {
        return fmt::format("in {} {}", names_, inner);
    }

    JsonPaths paths_;
    std::string names_;
    InnerEdit edit_;
};

InnerEdit read_json_edit(Fields& parameters, const TransformDefaults& defaults, const JsonPaths& paths) {
    InnerEdit edit = read_edit_of_texts(parameters, defaults, "JSON");
    if (edit.set && !is_json(*edit.set))
        throw refuse(parameters.place(), "'set' is not JSON", "A text is in quotes twice, as in set: '\"none\"'.");
    if (edit.removes() && paths.ends(paths.start()))
        throw refuse(parameters.place(), "the whole value cannot be deleted", "Use a transform of type 'null'.");
    return edit;
}

}  // namespace

std::unique_ptr<Transform> make_json(Fields& parameters, const TransformDefaults& defaults) {
    const std::vector<std::string> names = read_one_or_more(parameters, "path", "paths");
    JsonPaths paths;
    for (const std::string& name : names) paths.add(name, parameters.place());
    InnerEdit edit = read_json_edit(parameters, defaults, paths);
    return std::make_unique<Json>(std::move(paths), fmt::format("{}", fmt::join(names, ", ")), std::move(edit));
}

}  // namespace pgsluice::rules
