// json: applies another transform to what lies at some paths of a json or jsonb value. Every other byte stays as it is.
//
// At a path's end a string is transformed as its text. A number, true and false are transformed as they are written and
// become strings. An object or array is replaced as a whole by a transform that does not look at values (null,
// constant, redact); any other is applied to each value in it. null stays null, but for a constant.
#include <fmt/format.h>

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

class Rewriter {
   public:
    Rewriter(std::string_view text, const JsonPaths& paths, const Transform& transform, Arena& arena, Buffers& buffers)
        : text_(text), cursor_(text), paths_(paths), transform_(transform), arena_(arena), buffers_(buffers) {
        buffers_.out.clear();
    }

    Value run() {
        value(paths_.start(), 0);
        cursor_.expect_end();
        if (copied_ == 0 && buffers_.out.empty()) return Value(text_);
        buffers_.out.append(text_, copied_);
        return Value(arena_.copy(buffers_.out));
    }

   private:
    void value(JsonPaths::States states, int depth) {
        if (depth > max_depth) throw Unreadable{"it is nested too deeply"};
        if (states == 0) return cursor_.skip_value();
        if (cursor_.peek() != '[') states = paths_.no_array(states);
        if (paths_.ends(states)) return transform_value();
        if (cursor_.skip('{')) return object(states, depth);
        if (cursor_.skip('[')) return array(states, depth);
        cursor_.skip_value();
    }

    void object(JsonPaths::States states, int depth) {
        if (cursor_.skip('}')) return;
        do {
            const std::string_view key = name(cursor_.string());
            const auto next = paths_.member(states, key);
            cursor_.expect(':');
            value(next, depth + 1);
        } while (cursor_.skip(','));
        cursor_.expect('}');
    }

    void array(JsonPaths::States states, int depth) {
        if (cursor_.skip(']')) return;
        const auto members = paths_.members(states);
        std::size_t index = 0;
        do {
            const auto next = paths_.element(states, index++);
            value(cursor_.peek() == '[' ? next : next | members, depth + 1);
        } while (cursor_.skip(','));
        cursor_.expect(']');
    }

    std::string_view name(std::string_view token) {
        if (token.find('\\') == std::string_view::npos) return token.substr(1, token.size() - 2);
        decode_json_string(token, buffers_.decoded);
        return buffers_.decoded;
    }

    void transform_value() {
        const char first = cursor_.peek();
        if (first != '{' && first != '[') return leaf();
        if (!transform_.ignores_value()) return leaves();
        const std::size_t start = cursor_.at();
        cursor_.skip_value();
        replace(start, transform_.apply({}, ValueType::text, arena_));
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
        const Value after = transform_.apply(before, ValueType::text, arena_);
        if (after.is_text() && after.text() == before && !transform_.ignores_value()) return;
        replace(start, start + token.size(), after);
    }

    void replace_null(std::size_t start) {
        const Value value = transform_.for_null(ValueType::text);
        if (value.is_text()) replace(start, start + 4, value);
    }

    void replace(std::size_t start, const Value& value) { replace(start, cursor_.end_of_last(), value); }

    void replace(std::size_t start, std::size_t end, const Value& value) {
        buffers_.out.append(text_, copied_, start - copied_);
        if (value.is_text()) {
            append_json_string(buffers_.out, value.text(), NotUtf8::unchecked, JsonControls::coded);
        } else {
            buffers_.out += "null";
        }
        copied_ = end;
    }

    std::string_view text_;
    JsonCursor cursor_;
    const JsonPaths& paths_;
    const Transform& transform_;
    Arena& arena_;
    Buffers& buffers_;
    std::size_t copied_ = 0;
};

class Json : public Transform {
   public:
    Json(JsonPaths paths, std::string names, std::unique_ptr<Transform> inner)
        : paths_(std::move(paths)), names_(std::move(names)), inner_(std::move(inner)) {}

    std::string unfit(const Column& column, ValueType type) const override {
        return type == ValueType::json ? std::string{} : takes("json or jsonb", column);
    }
    Value apply(std::string_view text, ValueType /*type*/, Arena& arena) const override {
        thread_local Buffers buffers;
        return Rewriter(text, paths_, *inner_, arena, buffers).run();
    }
    std::string describe() const override { return fmt::format("in {} {}", names_, inner_->describe()); }
    std::string meaning() const override { return fmt::format("in {} {}", names_, inner_->meaning()); }

   private:
    JsonPaths paths_;
    std::string names_;
    std::unique_ptr<Transform> inner_;
};

// `path: $.a` or `paths: [$.a, $.b]`.
std::vector<std::string> read_paths(Fields& parameters) {
    const auto path = parameters.text("path");
    const Node* list = parameters.take("paths");
    if (path.has_value() == (list != nullptr))
        throw refuse(parameters.place(), "'path' is missing, or both 'path' and 'paths' are there");
    if (path) return {*path};
    std::vector<std::string> paths;
    for (const Node& item : list->items) {
        if (!item.is_scalar()) throw refuse(parameters.place_of(item), "'paths' must list paths");
        paths.push_back(item.text);
    }
    if (paths.empty()) throw refuse(parameters.place_of(*list), "'paths' must list at least one path");
    return paths;
}

}  // namespace

std::unique_ptr<Transform> make_json(Fields& parameters, const TransformDefaults& defaults) {
    const std::vector<std::string> names = read_paths(parameters);
    JsonPaths paths;
    for (const std::string& name : names) paths.add(name, parameters.place());
    const Node* node = parameters.take("transform");
    if (node == nullptr)
        throw refuse(parameters.place(), "'transform' is missing", "For example: transform: {type: redact}.");
    Fields inner_parameters(*node, parameters.place_of(*node), "'transform'");
    auto inner = make_transform(inner_parameters, defaults);
    inner_parameters.expect_end();
    Column text;
    text.type_oid = 25;
    text.type_name = "text";
    if (const std::string reason = inner->unfit(text, ValueType::text); !reason.empty())
        throw refuse(inner_parameters.place(), fmt::format("inside JSON it gets texts: {}", reason));
    if (!inner->subject().empty()) throw refuse(inner_parameters.place(), "'by' cannot be used inside JSON");
    return std::make_unique<Json>(std::move(paths), fmt::format("{}", fmt::join(names, ", ")), std::move(inner));
}

}  // namespace pgsluice::rules
