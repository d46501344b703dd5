#include "rules/expressions/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "rules/expressions/parse_tree.h"
#include "stream/format/utf8.h"

namespace pgsluice::rules {
namespace {

using Run = Expression::Run;
using simdjson::dom::element;

// A part of an expression. A text in quotes and NULL get their type from what
// they meet, as in PostgreSQL.
struct Part {
    SqlType type = SqlType::text;
    Run run;
    std::int64_t location = 0;
    bool untyped = false;
    std::optional<std::string> literal{};  // of an untyped one; none: NULL
};
using Parts = std::vector<Part>;

std::optional<SqlType> type_of(Oid base) {
    switch (base) {
        case 16:
            return SqlType::boolean;
        case 21:
            return SqlType::smallint;
        case 23:
            return SqlType::integer;
        case 20:
            return SqlType::bigint;
        case 1700:
            return SqlType::numeric;
        case 25:
        case 1043:
            return SqlType::text;
        case 1082:
            return SqlType::date;
        default:
            return std::nullopt;
    }
}

std::optional<SqlType> type_named(std::string_view name) {
    constexpr std::pair<std::string_view, SqlType> names[] = {{"bool", SqlType::boolean}, {"int2", SqlType::smallint},
                                                              {"int4", SqlType::integer}, {"int8", SqlType::bigint},
                                                              {"text", SqlType::text},    {"numeric", SqlType::numeric},
                                                              {"date", SqlType::date}};
    for (const auto& [known, type] : names)
        if (known == name) return type;
    return std::nullopt;
}

SqlValue boolean(bool value) { return SqlValue::of(value ? 1 : 0); }

// NULL where one of them is. Both are computed: an error is one beside a NULL,
// too.
template <typename Compute>
Run strict(Run a, Run b, Compute compute) {
    return [a = std::move(a), b = std::move(b), compute](Row row) {
        const SqlValue x = a(row);
        const SqlValue y = b(row);
        return x.null || y.null ? SqlValue{} : compute(x, y);
    };
}

class Compiler {
   public:
    Compiler(const std::string& text, const Relation& relation, const Place& place)
        : text_(text), relation_(relation), place_(place) {}

    Part compile(const ParseNode& node) {
        if (++depth_ > most_nested) throw fail(node, "the expression is nested too deeply");
        Part part = compile_kind(node);
        --depth_;
        part.location = location_of(node);
        return part;
    }
    Part typed(Part part) const { return part.untyped ? as(std::move(part), SqlType::text) : part; }
    [[nodiscard]] std::vector<std::size_t> columns() const { return columns_; }

   private:
    static constexpr int most_nested = 200;

    [[nodiscard]] Error fail_at(std::int64_t location, std::string_view why) const {
        return refuse(place_, fmt::format("{}{}", why, at_place(location)));
    }
    static std::int64_t location_of(const ParseNode& node) { return node.number("location"); }
    [[nodiscard]] Error fail(const ParseNode& node, std::string_view why) const {
        return fail_at(location_of(node), why);
    }

    Part compile_kind(const ParseNode& node) {
        if (node.kind == "A_Const") return constant(node);
        if (node.kind == "ColumnRef") return column(node);
        if (node.kind == "A_Expr") return operation(node);
        if (node.kind == "BoolExpr") return logic(node);
        if (node.kind == "NullTest") return null_test(node);
        if (node.kind == "BooleanTest") return boolean_test(node);
        if (node.kind == "CaseExpr") return case_of(node);
        if (node.kind == "CoalesceExpr") return coalesce(node);
        if (node.kind == "TypeCast") return cast(node);
        if (node.kind == "FuncCall") return call(node);
        throw fail(node, fmt::format("{} is not supported", node.kind));
    }

    Parts compile_all(simdjson::dom::array nodes) {
        Parts parts;
        for (const element one : nodes) parts.push_back(compile(ParseNode(one)));
        return parts;
    }

    // ---- values

    static Part of(SqlType type, Run run) { return {type, std::move(run)}; }
    static Part fixed(SqlType type, SqlValue value) {
        return of(type, [value = std::move(value)](Row) { return value; });
    }
    static Part untyped(std::optional<std::string> literal) {
        Part part;
        part.untyped = true;
        part.literal = std::move(literal);
        return part;
    }

    Part constant(const ParseNode& node) const {
        if (node.has("isnull")) return untyped(std::nullopt);
        if (node.has("sval")) {
            const element text = node.at("sval");
            return untyped(text["sval"].error() ? std::string{} : std::string(text["sval"].get_string().value()));
        }
        if (node.has("boolval")) return fixed(SqlType::boolean, boolean(!node.at("boolval")["boolval"].error()));
        if (node.has("ival")) {
            const element number = node.at("ival");
            const std::int64_t value =
                number["ival"].error() ? zero_or_negative(node) : number["ival"].get_int64().value();
            return fixed(SqlType::integer, SqlValue::of(value));
        }
        if (node.has("fval")) return number(node, std::string(node.at("fval")["fval"].get_string().value()));
        throw fail(node, "such a constant is not supported");
    }
    // The parser's tree leaves out 0, and libpg_query 15-4.0 negative numbers as
    // well: then the text must do.
    [[nodiscard]] std::int64_t zero_or_negative(const ParseNode& node) const {
        std::string_view text = ParseTree::from(text_, location_of(node));
        bool negative = false;
        for (; !text.empty() && std::string_view("-( \t\n").find(text[0]) != std::string_view::npos;
             text.remove_prefix(1))
            negative = negative != (text[0] == '-');
        const std::string_view digits = text.substr(0, std::min(text.find_first_not_of("0123456789"), text.size()));
        if (!digits.empty() && (negative || digits.find_first_not_of('0') == std::string_view::npos)) try {
                return -read_value(digits, SqlType::bigint).number;
            } catch (const Unreadable&) {
            }
        throw fail(node, "the constant cannot be told");
    }
    // One that is no integer of 32 bits, or has a point.
    Part number(const ParseNode& node, const std::string& text) const {
        if (text.find_first_not_of("-0123456789") == std::string::npos) {
            try {
                const SqlValue value = read_value(text, SqlType::bigint);
                const bool small = value.number == static_cast<std::int32_t>(value.number);
                return fixed(small ? SqlType::integer : SqlType::bigint, value);
            } catch (const Unreadable&) {
            }
        }
        try {
            return fixed(SqlType::numeric, read_value(text, SqlType::numeric));
        } catch (const Unreadable&) {
            throw fail(node, "a number is to be written with digits and a point");
        }
    }

    Part column(const ParseNode& node) {
        const std::string name(node.list("fields").size() == 1 ? node.name("fields") : std::string_view{});
        if (name.empty()) throw fail(node, "a column is to be written with its name only");
        const auto found = std::ranges::find(relation_.columns, name, &Column::name);
        if (found == relation_.columns.end())
            throw fail(node,
                       fmt::format("the table {}.{} has no column '{}'", relation_.schema, relation_.table, name));
        const auto type = type_of(found->base_oid != 0 ? found->base_oid : found->type_oid);
        if (!type)
            throw fail(node,
                       fmt::format("the column '{}' is {}, which expressions do not know", name, found->type_name));
        const auto index = static_cast<std::size_t>(found - relation_.columns.begin());
        if (std::ranges::find(columns_, index) == columns_.end()) columns_.push_back(index);
        return of(*type, [index, type = *type](Row row) {
            const Value& value = row[index];
            if (value.is_null()) return SqlValue{};
            if (type == SqlType::text && !is_utf8(value.text())) throw Unreadable{"the value is not valid UTF-8"};
            return read_value(value.text(), type);
        });
    }

    // ---- types

    // A literal is read as what it meets; numbers become larger ones.
    [[nodiscard]] Part as(Part part, SqlType type) const {
        if (part.untyped) {
            Part made = fixed(type, {});
            made.location = part.location;
            if (!part.literal) return made;
            try {
                made.run = fixed(type, read_value(*part.literal, type)).run;
            } catch (const Unreadable& unreadable) {
                throw fail_at(part.location, fmt::format("of the literal: {}", unreadable.reason));
            }
            return made;
        }
        if (part.type == type) return part;
        if (!is_number(part.type) || !is_number(type) || part.type > type)
            throw fail_at(part.location, fmt::format("{} cannot stand for {}", name_of(part.type), name_of(type)));
        return converted(std::move(part), type);
    }
    static Part converted(Part part, SqlType type) {
        Run run = [run = std::move(part.run), from = part.type, type](Row row) {
            const SqlValue value = run(row);
            return value.null ? value : cast_value(value, from, type);
        };
        return {type, std::move(run), part.location};
    }
    [[nodiscard]] Part as_boolean(Part part) const { return as(std::move(part), SqlType::boolean); }

    // Of all that are not untyped; text when all are.
    [[nodiscard]] SqlType common_type(const Parts& parts) const {
        std::optional<SqlType> common;
        for (const Part& part : parts) {
            if (part.untyped) continue;
            if (!common) common = part.type;
            if (part.type == *common) continue;
            if (!is_number(part.type) || !is_number(*common))
                throw fail_at(part.location,
                              fmt::format("{} and {} do not go together", name_of(*common), name_of(part.type)));
            common = std::max(*common, part.type);
        }
        return common.value_or(SqlType::text);
    }
    void unify(Parts& parts) const {
        const SqlType type = common_type(parts);
        for (Part& part : parts) part = as(std::move(part), type);
    }

    // ---- operators

    Part operation(const ParseNode& node) {
        const std::string_view kind = node.text("kind");
        const std::string_view name = node.name("name");
        if (kind == "AEXPR_OP" && node.has("lexpr")) return binary(node, name);
        if (kind == "AEXPR_OP") return unary(node, name);
        if (kind == "AEXPR_IN") return in_list(node, name == "<>");
        if (kind == "AEXPR_BETWEEN" || kind == "AEXPR_NOT_BETWEEN") return between(node, kind == "AEXPR_NOT_BETWEEN");
        if (kind == "AEXPR_LIKE") return like(node, name == "!~~");
        if (kind == "AEXPR_DISTINCT" || kind == "AEXPR_NOT_DISTINCT")
            return distinct(node, kind == "AEXPR_NOT_DISTINCT");
        throw fail(node, fmt::format("the operator {} is not supported", name.empty() ? kind : name));
    }

    Part unary(const ParseNode& node, std::string_view name) {
        Part part = compile(node.node("rexpr"));
        if (part.untyped || !is_number(part.type) || (name != "-" && name != "+"))
            throw fail(node, fmt::format("the operator {} is not supported here", name));
        if (name == "+") return part;
        Part nothing = zero(part.type);
        return arithmetic('-', std::move(nothing), std::move(part));
    }
    static Part zero(SqlType type) {
        return fixed(type, type == SqlType::numeric ? SqlValue::of(std::string("0")) : SqlValue::of(0));
    }

    Part binary(const ParseNode& node, std::string_view name) {
        Part a = compile(node.node("lexpr"));
        Part b = compile(node.node("rexpr"));
        if (name == "||") return concatenation(node, std::move(a), std::move(b));
        for (const std::string_view known : {"=", "<>", "<", "<=", ">", ">="})
            if (name == known) return comparison(node, name, std::move(a), std::move(b));
        const bool known = name.size() == 1 && std::string_view("+-*/%").find(name[0]) != std::string_view::npos;
        if (!known || a.untyped || b.untyped)
            throw fail(node,
                       fmt::format("the operator {} is not supported{}", name, known ? " with a text or NULL" : ""));
        if (a.type == SqlType::date || b.type == SqlType::date) return dates(node, name[0], std::move(a), std::move(b));
        if (!is_number(a.type) || !is_number(b.type))
            throw fail(node, fmt::format("{} {} {} is not supported", name_of(a.type), name, name_of(b.type)));
        const SqlType type = std::max(a.type, b.type);
        if ((name == "/" || name == "%") && type == SqlType::numeric)
            throw fail(node, fmt::format("numeric {} is not supported", name));
        return arithmetic(name[0], as(std::move(a), type), as(std::move(b), type));
    }
    static Part arithmetic(char op, Part a, Part b) {
        const SqlType type = a.type;
        return of(type, strict(std::move(a.run), std::move(b.run),
                               [op, type](const SqlValue& x, const SqlValue& y) { return calculate(op, x, y, type); }));
    }
    Part dates(const ParseNode& node, char op, Part a, Part b) const {
        const auto days = [](SqlType type) { return type == SqlType::integer || type == SqlType::smallint; };
        if (op == '-' && a.type == b.type)
            return of(SqlType::integer, strict(std::move(a.run), std::move(b.run), days_between));
        if (op == '+' && days(a.type)) std::swap(a, b);
        if ((op != '+' && op != '-') || a.type != SqlType::date || !days(b.type))
            throw fail(node, fmt::format("{} {} {} is not supported", name_of(a.type), op, name_of(b.type)));
        const int sign = op == '-' ? -1 : 1;
        return of(SqlType::date,
                  strict(std::move(a.run), std::move(b.run),
                         [sign](const SqlValue& x, const SqlValue& y) { return add_days(x, sign * y.number); }));
    }
    Part concatenation(const ParseNode& node, Part a, Part b) const {
        const auto is_text = [](const Part& part) { return part.untyped || part.type == SqlType::text; };
        if (!is_text(a) && !is_text(b)) throw fail(node, "|| needs a text on one side");
        a = to_text(std::move(a));
        b = to_text(std::move(b));
        return of(SqlType::text, strict(std::move(a.run), std::move(b.run), [](const SqlValue& x, const SqlValue& y) {
                      return SqlValue::of(x.text + y.text);
                  }));
    }
    [[nodiscard]] Part to_text(Part part) const {
        if (part.untyped) return as(std::move(part), SqlType::text);
        if (!can_cast(part.type, SqlType::text))
            throw fail_at(part.location, fmt::format("{} cannot become a text", name_of(part.type)));
        return converted(std::move(part), SqlType::text);
    }

    Part comparison(const ParseNode& node, std::string_view name, Part a, Part b) const {
        Parts both;
        both.push_back(std::move(a));
        both.push_back(std::move(b));
        unify(both);
        const SqlType type = both[0].type;
        const bool equality = name == "=" || name == "<>";
        if (type == SqlType::text && !equality)
            throw fail(node, fmt::format("{} of text goes by the source's collation, and is not supported", name));
        const bool less = name == "<" || name == "<=" || name == "<>";
        const bool equal = name == "=" || name == "<=" || name == ">=";
        const bool more = name == ">" || name == ">=" || name == "<>";
        return of(SqlType::boolean,
                  strict(std::move(both[0].run), std::move(both[1].run), [=](const SqlValue& x, const SqlValue& y) {
                      const int order = compare_values(x, y, type);
                      return boolean(order < 0 ? less : order == 0 ? equal : more);
                  }));
    }
    Part in_list(const ParseNode& node, bool negated) {
        const ParseNode list = node.node("rexpr");
        if (list.kind != "List") throw fail(node, "IN needs a list");
        Parts any;
        const Part left = compile(node.node("lexpr"));
        for (Part& item : compile_all(list.list("items"))) any.push_back(comparison(node, "=", left, std::move(item)));
        Part found = any_of(std::move(any), 1);
        return negated ? opposite(std::move(found)) : found;
    }
    Part between(const ParseNode& node, bool negated) {
        const Part value = compile(node.node("lexpr"));
        Parts bounds = compile_all(node.node("rexpr").list("items"));
        Parts both;
        both.push_back(comparison(node, ">=", value, bounds[0]));
        both.push_back(comparison(node, "<=", value, bounds[1]));
        Part found = any_of(std::move(both), 0);
        return negated ? opposite(std::move(found)) : found;
    }
    Part like(const ParseNode& node, bool negated) {
        const auto text = [&](std::string_view field) { return as(compile(node.node(field)), SqlType::text).run; };
        return of(SqlType::boolean,
                  strict(text("lexpr"), text("rexpr"), [negated](const SqlValue& value, const SqlValue& pattern) {
                      return boolean(is_like(value.text, pattern.text) != negated);
                  }));
    }
    Part distinct(const ParseNode& node, bool negated) {
        Parts both;
        both.push_back(compile(node.node("lexpr")));
        both.push_back(compile(node.node("rexpr")));
        unify(both);
        return of(SqlType::boolean, [a = both[0].run, b = both[1].run, type = both[0].type, negated](Row row) {
            const SqlValue x = a(row);
            const SqlValue y = b(row);
            const bool same = x.null || y.null ? x.null == y.null : compare_values(x, y, type) == 0;
            return boolean(same == negated);
        });
    }

    // ---- logic

    Part logic(const ParseNode& node) {
        Parts parts = compile_all(node.list("args"));
        for (Part& part : parts) part = as_boolean(std::move(part));
        const std::string_view kind = node.text("boolop");
        if (kind == "NOT_EXPR") return opposite(std::move(parts[0]));
        if (kind != "AND_EXPR" && kind != "OR_EXPR") throw fail(node, fmt::format("{} is not supported", kind));
        return any_of(std::move(parts), kind == "OR_EXPR" ? 1 : 0);
    }
    // OR where `decides` is 1, AND where it is 0.
    static Part any_of(Parts parts, std::int64_t decides) {
        std::vector<Run> runs;
        for (Part& part : parts) runs.push_back(std::move(part.run));
        return of(SqlType::boolean, [runs = std::move(runs), decides](Row row) {
            SqlValue result = SqlValue::of(1 - decides);
            for (const Run& run : runs) {
                SqlValue one = run(row);
                if (!one.null && one.number == decides) return one;
                if (one.null) result = {};
            }
            return result;
        });
    }
    static Part opposite(Part part) {
        return of(SqlType::boolean, [run = std::move(part.run)](Row row) {
            SqlValue value = run(row);
            if (!value.null) value.number = 1 - value.number;
            return value;
        });
    }
    Part null_test(const ParseNode& node) {
        const bool wanted = node.text("nulltesttype") != "IS_NOT_NULL";
        const Part part = typed(compile(node.node("arg")));
        return of(SqlType::boolean, [run = part.run, wanted](Row row) { return boolean(run(row).null == wanted); });
    }
    Part boolean_test(const ParseNode& node) {
        const std::string_view kind = node.text("booltesttype");
        const Part part = as_boolean(compile(node.node("arg")));
        const bool negated = kind.starts_with("IS_NOT_");
        const std::string_view what = kind.substr(negated ? 7 : 3);
        if (what != "TRUE" && what != "FALSE" && what != "UNKNOWN") throw fail(node, "such a test is not supported");
        return of(SqlType::boolean, [run = part.run, negated, null = what == "UNKNOWN", yes = what == "TRUE"](Row row) {
            const SqlValue value = run(row);
            const bool is = null ? value.null : !value.null && (value.number != 0) == yes;
            return boolean(is != negated);
        });
    }

    Part case_of(const ParseNode& node) {
        std::vector<Run> conditions;
        Parts results;
        std::optional<Part> subject;
        if (node.has("arg")) subject = typed(compile(node.node("arg")));
        for (const element one : node.list("args")) {
            const ParseNode when(one);
            Part condition = compile(when.node("expr"));
            conditions.push_back(subject ? comparison(when, "=", *subject, std::move(condition)).run
                                         : as_boolean(std::move(condition)).run);
            results.push_back(compile(when.node("result")));
        }
        results.push_back(node.has("defresult") ? compile(node.node("defresult")) : untyped(std::nullopt));
        unify(results);
        const SqlType type = results[0].type;
        std::vector<Run> runs;
        for (Part& result : results) runs.push_back(std::move(result.run));
        return of(type, [conditions = std::move(conditions), runs = std::move(runs)](Row row) {
            for (std::size_t i = 0; i < conditions.size(); ++i) {
                const SqlValue yes = conditions[i](row);
                if (!yes.null && yes.number != 0) return runs[i](row);
            }
            return runs.back()(row);
        });
    }
    Part coalesce(const ParseNode& node) {
        Parts parts = compile_all(node.list("args"));
        unify(parts);
        const SqlType type = parts[0].type;
        return of(type, [parts = std::move(parts)](Row row) {
            SqlValue value;
            for (const Part& part : parts)
                if (value = part.run(row); !value.null) break;
            return value;
        });
    }

    // ---- casts and functions

    Part cast(const ParseNode& node) {
        const element type_name = node.at("typeName");
        const ParseNode names = node_of(type_name);
        const auto type = type_named(names.name("names"));
        if (!type || !names.has_only({"names", "typemod", "location"}))
            throw fail(node, "a cast to this type is not supported");
        Part part = compile(node.node("arg"));
        if (part.untyped) return as(std::move(part), *type);
        if (!can_cast(part.type, *type))
            throw fail_at(part.location,
                          fmt::format("a cast from {} to {} is not supported", name_of(part.type), name_of(*type)));
        return converted(std::move(part), *type);
    }
    static ParseNode node_of(element fields) {
        ParseNode node(fields);
        node.kind = "TypeName";
        node.fields = fields;
        return node;
    }

    Part call(const ParseNode& node) {
        const std::string_view name = node.name("funcname");
        if (!node.has_only({"funcname", "args", "funcformat", "location"}) || !node.has("args"))
            throw fail(node, fmt::format("{}() is not supported so", name));
        Parts arguments = compile_all(node.list("args"));
        if (name == "concat") return concat(std::move(arguments));
        if ((name == "length" || name == "char_length" || name == "character_length") && arguments.size() == 1)
            return length(std::move(arguments[0]));
        if ((name == "substring" || name == "substr") && (arguments.size() == 2 || arguments.size() == 3))
            return substring(node, std::move(arguments));
        const bool by_collation = name == "lower" || name == "upper" || name == "initcap";
        throw fail(node, fmt::format("{}() is not supported{}", name,
                                     by_collation ? ", for it goes by the source's collation" : ""));
    }
    Part concat(Parts parts) const {
        for (Part& part : parts) {
            part = typed(std::move(part));
            if (part.type == SqlType::date) throw fail_at(part.location, "date cannot become a text");
        }
        return of(SqlType::text, [parts = std::move(parts)](Row row) {
            std::string text;
            for (const Part& part : parts)
                if (const SqlValue value = part.run(row); !value.null) text += print_value(value, part.type);
            return SqlValue::of(std::move(text));
        });
    }
    Part length(Part part) const {
        const Part text = as(std::move(part), SqlType::text);
        return of(SqlType::integer, [run = text.run](Row row) {
            const SqlValue value = run(row);
            return value.null ? value : SqlValue::of(length_of(value.text));
        });
    }
    Part substring(const ParseNode& node, Parts parts) const {
        for (std::size_t i = 1; i < parts.size(); ++i)
            if (parts[i].untyped || !is_integer(parts[i].type) || parts[i].type == SqlType::bigint)
                throw fail(node, "substring is supported with integers only");
        parts[0] = as(std::move(parts[0]), SqlType::text);
        return of(SqlType::text, [parts = std::move(parts)](Row row) {
            std::vector<SqlValue> values;
            for (const Part& part : parts) values.push_back(part.run(row));
            if (std::ranges::any_of(values, &SqlValue::null)) return SqlValue{};
            return SqlValue::of(
                substring_of(values[0].text, values[1].number, values.size() > 2 ? &values[2].number : nullptr));
        });
    }

    const std::string& text_;
    const Relation& relation_;
    const Place& place_;
    std::vector<std::size_t> columns_;
    int depth_ = 0;
};

}  // namespace

Expression Expression::compile(const std::string& text, const Relation& relation, const Place& place) {
    const ParseTree tree(text, place);
    Compiler compiler(text, relation, place);
    try {
        Part part = compiler.typed(compiler.compile(tree.root()));
        return {part.type, std::move(part.run), compiler.columns()};
    } catch (const simdjson::simdjson_error& error) {
        throw refuse(place, fmt::format("unable to read what the parser says: {}", error.what()));
    }
}

std::vector<std::string> columns_named(const std::string& text, const Place& place) {
    const ParseTree tree(text, place);
    try {
        return tree.columns();
    } catch (const simdjson::simdjson_error& error) {
        throw refuse(place, fmt::format("unable to read what the parser says: {}", error.what()));
    }
}

}  // namespace pgsluice::rules
