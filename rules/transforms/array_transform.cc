// array: applies another transform to each element, also of arrays within it. NULL stays NULL, but for a constant.
#include <fmt/format.h>

#include <memory>

#include "rules/transforms/inner.h"
#include "rules/transforms/keyed/recipe.h"
#include "rules/transforms/quoted.h"
#include "rules/transforms/transforms.h"
#include "rules/values/utf8.h"
#include "sql/quote.h"
#include "stream/base/ascii.h"
#include "stream/base/padding.h"

namespace pgsluice::rules {
namespace {

constexpr Oid box_oid = 603;  // the one type whose elements are separated by ;

// A column of what the elements are.
Column element_of(const Column& column) {
    Column element = column;
    element.type_oid = element.base_oid = column.element_oid;
    element.element_oid = 0;
    if (element.type_name.ends_with("[]")) element.type_name.resize(element.type_name.size() - 2);
    return element;
}

bool is_bounds(std::string_view text) { return text.find_first_not_of("[]:-=0123456789") == std::string_view::npos; }

// As array_out() does.
bool needs_quotes(std::string_view text) {
    const bool null = text.size() == 4 && ascii_lower(text[0]) == 'n' && ascii_lower(text[1]) == 'u' &&
                      ascii_lower(text[2]) == 'l' && ascii_lower(text[3]) == 'l';
    return text.empty() || null || text.find_first_of("{},\"\\ \t\n\r\v\f") != std::string_view::npos;
}

class ArrayRewriter {
   public:
    // `width`: of a char(n), whose elements are padded with blanks; 0: of none.
    ArrayRewriter(std::string_view text, const Transform& inner, ValueType type, std::size_t width, Arena& arena)
        : rest_(text), inner_(inner), type_(type), width_(width), arena_(arena) {}

    // Bounds may come first: [0:1]={a,b}
    Value run() {
        const std::size_t begin = rest_.find('{');
        if (begin == std::string_view::npos || !is_bounds(rest_.substr(0, begin)))
            throw Unreadable{"it is not an array"};
        out_.append(rest_, 0, begin);
        rest_.remove_prefix(begin);
        do {
            step();
        } while (depth_ > 0);
        if (!rest_.empty()) throw Unreadable{"it is not an array"};
        return Value(arena_.copy(out_));
    }

   private:
    void step() {
        if (rest_.empty()) throw Unreadable{"it is not an array"};
        const char c = rest_[0];
        if (c != '{' && c != '}' && c != ',') return element();
        depth_ += c == '{' ? 1 : c == '}' ? -1 : 0;
        out_ += c;
        rest_.remove_prefix(1);
    }

    void element() {
        if (rest_[0] == '"') {
            take_quoted(rest_, text_);
            return put(transformed(text_));
        }
        const std::string_view plain = rest_.substr(0, rest_.find_first_of(",}"));
        rest_.remove_prefix(plain.size());
        put(plain == "NULL" ? inner_.for_null(type_) : transformed(plain));
    }

    Value transformed(std::string_view text) {
        if (type_ == ValueType::padded_text) text = without_padding(text);
        return inner_.apply(text, type_, arena_);
    }

    void put(const Value& value) {
        if (!value.is_text()) {
            out_ += "NULL";
            return;
        }
        std::string_view text = value.text();
        if (const std::size_t characters = width_ > 0 ? count_characters(text) : 0; characters < width_) {
            padded_.assign(text).append(width_ - characters, ' ');
            text = padded_;
        }
        if (needs_quotes(text))
            sql::append_quoted_element(out_, text);
        else
            out_ += text;
    }

    std::string_view rest_;
    const Transform& inner_;
    ValueType type_;
    std::size_t width_;
    Arena& arena_;
    std::string out_;
    std::string text_;
    std::string padded_;
    int depth_ = 0;
};

class Array : public Transform {
   public:
    Array(std::shared_ptr<const Transform> inner, ValueType element, std::size_t width)
        : inner_(std::move(inner)), element_(element), width_(width) {}

    std::string unfit(const Column& column, ValueType type) const override {
        if (type != ValueType::array || column.element_oid == box_oid) return takes("arrays", column);
        const Column element = element_of(column);
        const std::string reason = inner_->unfit(element, value_type(element));
        return reason.empty() ? reason : fmt::format("of an element: {}", reason);
    }
    std::shared_ptr<const Transform> for_column(const Column& column, ValueType /*type*/) const override {
        const Column element = element_of(column);
        const ValueType type = value_type(element);
        const std::size_t width = type == ValueType::padded_text ? ColumnForm::of(element, type).most : 0;
        const auto fitted = inner_->for_column(element, type);
        return std::make_shared<const Array>(fitted != nullptr ? fitted : inner_, type, width);
    }
    bool repeats() const override { return inner_->repeats(); }
    bool reads_text() const override { return inner_->reads_text(); }
    Value apply(std::string_view text, ValueType /*type*/, Arena& arena) const override {
        return ArrayRewriter(text, *inner_, element_, width_, arena).run();
    }
    std::string describe() const override { return fmt::format("each element: {}", inner_->describe()); }
    std::string meaning() const override { return fmt::format("each element: {}", inner_->meaning()); }

   private:
    std::shared_ptr<const Transform> inner_;
    ValueType element_;
    std::size_t width_;
};

}  // namespace

std::unique_ptr<Transform> make_array(Fields& parameters, const TransformDefaults& defaults) {
    return std::make_unique<Array>(read_inner(parameters, defaults, "an array"), ValueType::text, 0);
}

}  // namespace pgsluice::rules
