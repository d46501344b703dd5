#include "rules/expressions/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "rules/expressions/exact_numeric.h"
#include "rules/expressions/functions.h"
#include "rules/expressions/operators.h"
#include "rules/expressions/parse_tree.h"
#include "rules/expressions/part.h"
#include "stream/format/utf8.h"

namespace pgsluice::rules {
namespace {

using simdjson::dom::element;

std::optional<SqlType> type_of(Oid base) {
    constexpr Oid varchar = 1043;
    if (base == varchar) return SqlType::text;
    for (const SqlType type : {SqlType::boolean, SqlType::smallint, SqlType::integer, SqlType::bigint, SqlType::numeric,
                               SqlType::text, SqlType::date})
        if (oid_of(type) == base) return type;
    return std::nullopt;
}

std::optional<SqlType> type_named(std::string_view name) {
    constexpr std::pair<std::string_view, SqlType> names[] = {
        {"bool", SqlType::boolean}, {"int2", SqlType::smallint},  {"int4", SqlType::integer},
        {"int8", SqlType::bigint},  {"text", SqlType::text},      {"varchar", SqlType::text},
        {"date", SqlType::date},    {"numeric", SqlType::numeric}};
    for (const auto& [known, type] : names)
        if (known == name) return type;
    return std::nullopt;
}

class Compiler {
   public:
    Compiler(const std::string& text, const Relation& relation, const Place& place)
        : text_(text), relation_(relation), typing_(place) {}

    Part compile(const ParseNode& node) {
        if (++depth_ > most_nested) throw fail(node, "the expression is nested too deeply");
        Part part = compile_kind(node);
        --depth_;
        part.location = location_of(node);
        return part;
    }
    Part typed(Part part) const { return typing_.typed(std::move(part)); }
    [[nodiscard]] std::vector<std::size_t> columns() const { return columns_; }

   private:
    static constexpr int most_nested = 200;

    static std::int64_t location_of(const ParseNode& node) { return node.number("location"); }
    [[nodiscard]] Error fail(const ParseNode& node, std::string_view why) const {
        return typing_.fail_at(location_of(node), why);
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
        if (node.kind == "MinMaxExpr")
            return extreme(typing_, location_of(node), compile_all(node.list("args")),
                           node.text("op") == "IS_LEAST" ? -1 : 1);
        if (node.kind == "CollateClause") return collated(node);
        throw fail(node, fmt::format("{} is not supported", node.kind));
    }

    Parts compile_all(simdjson::dom::array nodes) {
        Parts parts;
        for (const element one : nodes) parts.push_back(compile(ParseNode(one)));
        return parts;
    }

    // ---- values

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
    // The parser's tree leaves out 0, and libpg_query 15-4.0 negative numbers as well: then the text must do.
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
            if (value.is_unchanged()) throw NotKnown{index};
            if (type == SqlType::text && !is_utf8(value.text())) throw Unreadable{"the value is not valid UTF-8"};
            return read_value(value.text(), type);
        });
    }

    // ---- operators

    Part operation(const ParseNode& node) {
        const std::string_view kind = node.text("kind");
        const std::string_view name = node.name("name");
        if (kind == "AEXPR_OP" && node.has("lexpr")) {
            Part left = compile(node.node("lexpr"));
            return binary_operator(typing_, location_of(node), name, std::move(left), compile(node.node("rexpr")));
        }
        if (kind == "AEXPR_OP") return unary_operator(typing_, location_of(node), name, compile(node.node("rexpr")));
        if (kind == "AEXPR_IN") return in_list(node, name == "<>");
        if (kind == "AEXPR_BETWEEN" || kind == "AEXPR_NOT_BETWEEN") return between(node, kind == "AEXPR_NOT_BETWEEN");
        if (kind == "AEXPR_LIKE") return like(node, name == "!~~");
        if (kind == "AEXPR_DISTINCT" || kind == "AEXPR_NOT_DISTINCT")
            return distinct(node, kind == "AEXPR_NOT_DISTINCT");
        if (kind == "AEXPR_NULLIF") {
            Part left = compile(node.node("lexpr"));
            return null_if(typing_, location_of(node), std::move(left), compile(node.node("rexpr")));
        }
        throw fail(node, fmt::format("the operator {} is not supported", name.empty() ? kind : name));
    }

    Part compared(const ParseNode& node, std::string_view name, Part a, Part b) const {
        return comparison(typing_, location_of(node), name, std::move(a), std::move(b));
    }
    Part in_list(const ParseNode& node, bool negated) {
        const ParseNode list = node.node("rexpr");
        if (list.kind != "List") throw fail(node, "IN needs a list");
        Parts any;
        const Part left = compile(node.node("lexpr"));
        for (Part& item : compile_all(list.list("items"))) any.push_back(compared(node, "=", left, std::move(item)));
        Part found = any_of(std::move(any), 1);
        return negated ? opposite(std::move(found)) : found;
    }
    Part between(const ParseNode& node, bool negated) {
        const Part value = compile(node.node("lexpr"));
        Parts bounds = compile_all(node.node("rexpr").list("items"));
        Parts both;
        both.push_back(compared(node, ">=", value, bounds[0]));
        both.push_back(compared(node, "<=", value, bounds[1]));
        Part found = any_of(std::move(both), 0);
        return negated ? opposite(std::move(found)) : found;
    }
    Part like(const ParseNode& node, bool negated) {
        const auto text = [&](std::string_view field) {
            return typing_.as(compile(node.node(field)), SqlType::text).run;
        };
        return of(SqlType::boolean,
                  strict(text("lexpr"), text("rexpr"), [negated](const SqlValue& value, const SqlValue& pattern) {
                      return boolean(is_like(value.text, pattern.text) != negated);
                  }));
    }
    Part distinct(const ParseNode& node, bool negated) {
        Parts both;
        both.push_back(compile(node.node("lexpr")));
        both.push_back(compile(node.node("rexpr")));
        typing_.unify(both);
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
        for (Part& part : parts) part = typing_.as_boolean(std::move(part));
        const std::string_view kind = node.text("boolop");
        if (kind == "NOT_EXPR") return opposite(std::move(parts[0]));
        if (kind != "AND_EXPR" && kind != "OR_EXPR") throw fail(node, fmt::format("{} is not supported", kind));
        return any_of(std::move(parts), kind == "OR_EXPR" ? 1 : 0);
    }
    Part null_test(const ParseNode& node) {
        const bool wanted = node.text("nulltesttype") != "IS_NOT_NULL";
        const Part part = typed(compile(node.node("arg")));
        return of(SqlType::boolean, [run = part.run, wanted](Row row) { return boolean(run(row).null == wanted); });
    }
    Part boolean_test(const ParseNode& node) {
        const std::string_view kind = node.text("booltesttype");
        const Part part = typing_.as_boolean(compile(node.node("arg")));
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
            conditions.push_back(subject ? compared(when, "=", *subject, std::move(condition)).run
                                         : typing_.as_boolean(std::move(condition)).run);
            results.push_back(compile(when.node("result")));
        }
        results.push_back(node.has("defresult") ? compile(node.node("defresult")) : untyped(std::nullopt));
        typing_.unify(results);
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
        typing_.unify(parts);
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
        const std::string_view name = names.name("names");
        const auto type = type_named(name);
        if (!type || !names.has_only({"names", "typemod", "typmods", "location"}))
            throw fail(node, "a cast to this type is not supported");
        Part part = typing_.cast(compile(node.node("arg")), *type);
        return names.has("typmods") ? limited(node, name, std::move(part), limits_of(node, names)) : part;
    }
    std::vector<std::int64_t> limits_of(const ParseNode& node, const ParseNode& type) const {
        std::vector<std::int64_t> limits;
        for (const element one : type.list("typmods")) {
            const ParseNode limit(one);
            auto value = limit.fields["ival"]["ival"].get_int64();
            if (limit.kind != "A_Const" || limit.has("isnull"))
                throw fail(node, "a cast to this type is not supported");
            limits.push_back(value.error() ? zero_or_negative(limit) : value.value());
        }
        return limits;
    }
    Part limited(const ParseNode& node, std::string_view name, Part part,
                 const std::vector<std::int64_t>& limits) const {
        const std::int64_t most = limits[0];
        if (name == "varchar" && limits.size() == 1 && most > 0)
            return of(SqlType::text, [run = std::move(part.run), most](Row row) {
                SqlValue value = run(row);
                return value.null ? value : SqlValue::of(left_of(value.text, most));
            });
        const std::int64_t scale = limits.size() > 1 ? limits[1] : 0;
        if (name != "numeric" || limits.size() > 2 || most < 1 || most > 1000 || scale < 0 || scale > most)
            throw fail(node, "a cast to this type is not supported");
        return of(SqlType::numeric, [run = std::move(part.run), most, scale](Row row) {
            SqlValue value = run(row);
            return value.null ? value : SqlValue::of(as_numeric(value.text, most, scale));
        });
    }
    static ParseNode node_of(element fields) {
        ParseNode node(fields);
        node.kind = "TypeName";
        node.fields = fields;
        return node;
    }

    Part collated(const ParseNode& node) {
        if (node.name("collname") != "C") throw fail(node, "the only collation that is supported is \"C\"");
        Part part = typing_.as(compile(node.node("arg")), SqlType::text);
        part.by_bytes = true;
        return part;
    }

    Part call(const ParseNode& node) {
        const std::string_view name = node.name("funcname");
        if (!node.has_only({"funcname", "args", "funcformat", "location"}) || !node.has("args"))
            throw fail(node, fmt::format("this form of {}() is not supported", name));
        return call_function(typing_, location_of(node), name, compile_all(node.list("args")));
    }

    const std::string& text_;
    const Relation& relation_;
    const Typing typing_;
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
