// Expressions over random rows, against PostgreSQL itself: the same text, or an error in both.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

#include "rules/expressions/expression.h"
#include "tests/support/postgres_server.h"
#include "tests/support/text.h"
#include "tests/unit/rules_fixture.h"

using namespace pgsluice;
using namespace pgsluice::test;
using rules::Expression;
using rules::SqlType;

namespace {

constexpr const char* column_names[] = {"b", "s", "i", "l", "n", "m", "x", "y", "d", "e"};

RelationPtr table() {
    using namespace rules_test;
    return relation(
        "t", {column("b", boolean_type), column("s", {21, "smallint"}), column("i", integer_type),
              column("l", bigint_type), column("n", numeric_type), column("m", numeric_type), column("x", text_type),
              column("y", varchar_type), column("d", date_type), column("e", date_type)});
}

// Well-typed ones, of which each operation has a column in it: PostgreSQL computes constants before it sees a row.
class Generator {
   public:
    explicit Generator(unsigned seed) : random_(seed) {}

    std::string of(SqlType type, int depth) {
        if (depth == 0) return column(type);
        if (one_in(6)) return choice(type, depth);
        switch (type) {
            case SqlType::boolean:
                return condition(depth);
            case SqlType::text:
                return text(depth);
            case SqlType::date:
                return fmt::format("({} {} {})", of(type, depth - 1), pick({"+", "-"}),
                                   one_in(2) ? pick({"s", "i"}) : std::to_string(below(100000)));
            default:
                return number(type, depth);
        }
    }
    SqlType any_type() { return static_cast<SqlType>(below(7)); }

   private:
    unsigned below(unsigned end) { return std::uniform_int_distribution<unsigned>(0, end - 1)(random_); }
    bool one_in(unsigned n) { return below(n) == 0; }
    std::string pick(std::vector<std::string> of) { return of[below(static_cast<unsigned>(of.size()))]; }

    std::string column(SqlType type) {
        const std::vector<std::string> named[] = {{"b"}, {"s"}, {"i"}, {"l"}, {"n", "m"}, {"x", "y"}, {"d", "e"}};
        return pick(named[static_cast<std::size_t>(type)]);
    }
    std::string constant(SqlType type) {
        switch (type) {
            case SqlType::boolean:
                return pick({"true", "false"});
            case SqlType::numeric:
                return pick({"0.0", "1.50", "-2.005", "0.1", "99999999999999999999.5", "-0.00", ".5"});
            case SqlType::text:
                return pick({"''", "'a'", "'ab'", "'%'", "'12'", "'ü'", "E'a\\\\b'", "' 7 '"});
            case SqlType::date:
                return pick({"date '2024-02-29'", "date '1999-12-31'"});
            case SqlType::bigint:
                return pick({"5000000000", "-9223372036854775808"});
            default:
                return pick({"0", "1", "-1", "2", "7", "32767", "-2147483648"});
        }
    }
    std::string or_constant(SqlType type, int depth) { return one_in(2) ? constant(type) : of(type, depth - 1); }

    std::string choice(SqlType type, int depth) {
        const std::string one = of(type, depth - 1);
        const std::string other = one_in(4) ? "NULL" : or_constant(type, depth);
        if (one_in(3)) return fmt::format("coalesce({}, {})", one, other);
        if (type != SqlType::text && one_in(4))
            return fmt::format("{}({}, {})", pick({"greatest", "least"}), one, other);
        if (one_in(4)) return fmt::format("nullif({}, {})", one, constant(type));
        if (one_in(3))
            return fmt::format("CASE {} WHEN {} THEN {} ELSE {} END", of(SqlType::integer, depth - 1),
                               constant(SqlType::integer), one, other);
        return fmt::format("CASE WHEN {} THEN {} ELSE {} END", of(SqlType::boolean, depth - 1), one, other);
    }

    std::string condition(int depth) {
        const std::string b = of(SqlType::boolean, depth - 1);
        switch (below(10)) {
            case 0:
                return fmt::format("({} {} {})", b, pick({"AND", "OR"}), of(SqlType::boolean, depth - 1));
            case 1:
                return fmt::format("(NOT {})", b);
            case 2:
                return fmt::format("({} IS {}{})", b, pick({"", "NOT "}), pick({"TRUE", "FALSE", "UNKNOWN", "NULL"}));
            case 3:
                return fmt::format("({} {}LIKE {})", of(SqlType::text, depth - 1), pick({"", "NOT "}),
                                   pick({"'%a%'", "'_'", "'a_%'", "'%\\%'", "'%ü_'", "x", "y"}));
            case 4: {
                const SqlType type = any_type();
                return fmt::format("({} {}IN ({}, {}, {}))", of(type, depth - 1), pick({"", "NOT "}), constant(type),
                                   one_in(3) ? "NULL" : constant(type), column(type));
            }
            case 5: {
                const SqlType type = any_type();
                return fmt::format("({} IS {}DISTINCT FROM {})", of(type, depth - 1), pick({"", "NOT "}),
                                   or_constant(type, depth));
            }
            case 6: {
                const SqlType type = pick_number();
                return fmt::format("({} {}BETWEEN {} AND {})", of(type, depth - 1), pick({"", "NOT "}),
                                   or_constant(pick_number(), depth), or_constant(pick_number(), depth));
            }
            case 7: {
                const SqlType type = one_in(2) ? SqlType::text : SqlType::boolean;
                return fmt::format("({} {} {})", of(type, depth - 1), pick({"=", "<>"}), or_constant(type, depth));
            }
            case 8:
                return fmt::format("({} COLLATE \"C\" {} {})", of(SqlType::text, depth - 1),
                                   pick({"<", "<=", ">", ">="}), or_constant(SqlType::text, depth));
            default: {
                const bool dates = one_in(3);
                const SqlType left = dates ? SqlType::date : pick_number();
                return fmt::format("({} {} {})", of(left, depth - 1), pick({"=", "<>", "<", "<=", ">", ">="}),
                                   or_constant(dates ? left : pick_number(), depth));
            }
        }
    }
    SqlType pick_number() { return static_cast<SqlType>(1 + below(4)); }

    std::string text(int depth) {
        if (one_in(3)) return text_function(depth);
        switch (below(6)) {
            case 0:
                return fmt::format("({} || {})", of(SqlType::text, depth - 1), of(pick_printable(), depth - 1));
            case 1:
                return fmt::format("concat({}, {}, '-')", of(pick_printable(), depth - 1), constant(SqlType::text));
            case 2:
                return fmt::format("substring({} from {} for {})", of(SqlType::text, depth - 1), pick({"s", "-1", "2"}),
                                   pick({"i", "0", "3"}));
            case 3:
                return fmt::format("substr({}, {})", of(SqlType::text, depth - 1), pick({"i", "0", "2"}));
            case 4:
                return fmt::format("({})::text", of(pick_printable(), depth - 1));
            default:
                return fmt::format("({} || {})", constant(SqlType::text), of(pick_printable(), depth - 1));
        }
    }
    std::string text_function(int depth) {
        const std::string one = of(SqlType::text, depth - 1);
        switch (below(6)) {
            case 0:
                return fmt::format("{}({} COLLATE \"C\")", pick({"lower", "upper", "initcap"}), one);
            case 1:
                return fmt::format("{}({})", pick({"btrim", "ltrim", "rtrim", "trim"}), one);
            case 2:
                return fmt::format("trim({} {} from {})", pick({"leading", "trailing", "both"}),
                                   constant(SqlType::text), one);
            case 3:
                return fmt::format("{}({}, {})", pick({"left", "right"}), one, pick({"s", "0", "2", "-1", "-3"}));
            case 4:
                return fmt::format("replace({}, {}, {})", one, constant(SqlType::text), column(SqlType::text));
            default:
                return fmt::format("({})::varchar({})", of(pick_printable(), depth - 1), pick({"1", "3", "20"}));
        }
    }
    SqlType pick_printable() { return static_cast<SqlType>(below(6)); }

    std::string number(SqlType type, int depth) {
        const auto type_name = std::string(rules::name_of(type));
        if (type == SqlType::numeric && one_in(3)) return exact_number(depth);
        if (one_in(8)) return fmt::format("abs({})", of(type, depth - 1));
        if (type == SqlType::integer && one_in(8))
            return one_in(2) ? fmt::format("strpos({}, {})", of(SqlType::text, depth - 1), constant(SqlType::text))
                             : fmt::format("position({} in {})", constant(SqlType::text), of(SqlType::text, depth - 1));
        if (type == SqlType::integer && one_in(4))
            return one_in(2) ? fmt::format("length({})", of(SqlType::text, depth - 1))
                             : fmt::format("({} - {})", of(SqlType::date, depth - 1), of(SqlType::date, depth - 1));
        if (one_in(4)) {
            const SqlType from = one_in(3) ? SqlType::text : pick_number();
            return fmt::format("({})::{}", of(from, depth - 1), type_name);
        }
        if (type == SqlType::integer && one_in(8)) return fmt::format("({})::int", of(SqlType::boolean, depth - 1));
        if (one_in(6)) return fmt::format("(- {})", of(type, depth - 1));
        const std::string right = type == SqlType::smallint ? of(type, depth - 1) : or_constant(type, depth);
        return fmt::format("({} {} {})", of(type, depth - 1), pick({"+", "-", "*", "/", "%"}), right);
    }
    std::string exact_number(int depth) {
        const std::string one = of(SqlType::numeric, depth - 1);
        switch (below(5)) {
            case 0:
                return fmt::format("{}({})", pick({"round", "trunc", "floor", "ceil"}), one);
            case 1:
                return fmt::format("{}({}, {})", pick({"round", "trunc"}), of(pick_number(), depth - 1),
                                   pick({"0", "1", "2", "-1", "-3", "5"}));
            case 2:
                return fmt::format("({})::numeric({})", of(pick_number(), depth - 1),
                                   pick({"10,2", "5", "3,3", "30,10"}));
            case 3:
                if (one_in(4)) return "extract(year from e)";  // of an infinite date it is infinite
                return fmt::format("extract({} from {})", pick({"quarter", "month", "day", "dow", "isodow", "doy"}),
                                   of(SqlType::date, depth - 1));
            default:
                return fmt::format("({} / {})", one, or_constant(SqlType::numeric, depth));
        }
    }

    std::mt19937 random_;
};

constexpr const char* make = R"(
CREATE TABLE t (k serial, b boolean, s smallint, i int, l bigint, n numeric, m numeric(10,2), x text, y varchar(20),
                d date, e date);
SELECT setseed(0.18);
INSERT INTO t (b, s, i, l, n, m, x, y, d, e)
SELECT CASE WHEN random() < 0.8 THEN random() < 0.5 END,
       (ARRAY[0, 1, -1, 2, 7, 32767, -32768, NULL])[1 + (random() * 7)::int],
       CASE WHEN random() < 0.3 THEN (ARRAY[2147483647, -2147483648, 0, NULL])[1 + (random() * 3)::int]
            ELSE (random() * 20 - 10)::int END,
       CASE WHEN random() < 0.3 THEN (ARRAY[9223372036854775807, -9223372036854775808, 0, NULL])[1 + (random() * 3)::int]
            ELSE (random() * 2e10 - 1e10)::bigint END,
       (ARRAY[0, 0.000, -0.5, 2.5, -1.50, 12345678901234567890.123456789, 1e-20, 99999999999999999999, NULL, 3])
           [1 + (random() * 9)::int],
       CASE WHEN random() < 0.9 THEN (random() * 1000 - 500)::numeric(10,2) END,
       (ARRAY['', 'a', 'ab', 'aüb', E'a\\b', '12', ' -7 ', '3.50', 'true', 'no', '日本', '%', NULL, 'x%y'])
           [1 + (random() * 13)::int],
       (ARRAY['', 'b', 'ab', 'ü', '0012', '-0.0', 'f', '_%', NULL])[1 + (random() * 8)::int],
       (ARRAY['2024-02-29', '1999-12-31', '0044-03-15 BC', 'infinity', '-infinity', NULL, '2026-11-27'])
           [1 + (random() * 6)::int]::date,
       date '2000-01-01' + (random() * 100000 - 50000)::int
FROM generate_series(1, 150);
CREATE FUNCTION attempt(expression text, wanted int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE format('SELECT CASE WHEN (%1$s) IS NULL THEN ''NULL'' ELSE concat(''='', %1$s) END FROM t WHERE k = $1',
                   expression) INTO result USING wanted;
    RETURN result;
EXCEPTION WHEN OTHERS THEN RETURN 'error';
END $$;
)";

std::string computed(const Expression& expression, Row row) {
    try {
        const rules::SqlValue value = expression.compute(row);
        return value.null ? "NULL" : "=" + rules::print_value(value, expression.type());
    } catch (const rules::Unreadable&) {
        return "error";
    }
}

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == at)
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

std::string quoted(const std::string& text) { return "$q$" + text + "$q$"; }

}  // namespace

TEST_CASE("random expressions over random rows are what PostgreSQL makes of them") {
    PostgresServer& server = shared_postgres();
    const std::string database = server.create_database();
    server.sql(database, make);
    std::string row_text = "SELECT string_agg(concat_ws(E'\\x01'";
    for (const char* name : column_names) row_text += fmt::format(", coalesce({}::text, E'\\x02')", name);
    const auto lines = split(server.scalar(database, row_text + "), E'\\x03' ORDER BY k) FROM t"), '\x03');
    const RelationPtr relation = table();
    std::vector<std::vector<std::string>> texts;
    for (const std::string& line : lines) texts.push_back(split(line, '\x01'));
    REQUIRE(texts.size() == 150);
    Generator generator(18);
    int errors = 0;
    int values = 0;
    for (int round = 0; round < 400; ++round) {
        const std::string text = generator.of(generator.any_type(), 1 + round % 4);
        CAPTURE(text);
        const Expression expression = Expression::compile(text, *relation, {});
        const auto expected = split(
            server.scalar(database,
                          fmt::format("SELECT string_agg(attempt({}, k), E'\\x03' ORDER BY k) FROM t", quoted(text))),
            '\x03');
        REQUIRE(expected.size() == texts.size());
        for (std::size_t i = 0; i < texts.size(); ++i) {
            std::vector<Value> row;
            for (const std::string& one : texts[i])
                row.push_back(one == "\x02" ? Value() : Value(std::string_view(one)));
            if (row[0].is_text()) row[0] = Value(row[0].text() == "true" ? std::string_view("t") : "f");
            const std::string found = computed(expression, row);
            CAPTURE(lines[i]);
            CHECK(found == expected[i]);
            ++(found == "error" ? errors : values);
        }
    }
    CHECK(values > 20'000);
    CHECK(errors > 100);
}

TEST_CASE("what is not known is refused when it is read, with its place") {
    const RelationPtr relation = table();
    const auto refused = [&](const std::string& text, const std::string& why) {
        const std::string error = rules_test::error_of([&] {
            Expression::compile(text, *relation, {"r.yaml", 3, "t", 0, {}});
        });
        CAPTURE(text);
        CHECK_MESSAGE(contains(error, why), error);
    };
    refused("i +", "syntax error at end of input");
    refused("i, l", "it is not a single expression");
    refused("i; DROP TABLE t", "it is not a single expression");
    refused("i AS j", "it is not a single expression");
    refused("i FROM t", "it is not a single expression");
    refused("lower(x) = 'a'", "lower() goes by the source's collation, and is supported as lower(... COLLATE \"C\")");
    refused("lower(x || y COLLATE \"C\") = 'a'", "lower() goes by the source's collation");
    refused("lower(x COLLATE \"de_DE\") = 'a'", "the only collation that is supported is \"C\" at byte 9");
    refused("greatest(x, y) = 'a'", "go by the source's collation");
    refused("round(i) = 1", "round and trunc are supported of numeric");
    refused("extract(week FROM d) = 1", "extract is supported of date only");
    refused("n::numeric(10,-2) = 1", "a cast to this type is not supported");
    refused("i = 1 AND x < 'a'", "< of text goes by the source's collation");
    refused("x + 1", "text + integer is not supported");
    refused("nosuch = 1", "has no column 'nosuch' at byte 1");
    refused("t.i = 1", "a column is to be written with its name only");
    refused("random() > i", "random() is not supported");
    refused("(SELECT 1) = i", "SubLink is not supported");
    refused("i::char(3) = 'a'", "a cast to this type is not supported");
    refused("d::text = 'a'", "a cast from date to text is not supported");
    refused("i = 'x'", "of the literal: it is not a whole number");
    refused("x = 5", "text and integer do not go together");
    refused("x LIKE 'a' ESCAPE '!'", "not supported");
    refused("x ~ 'a'", "the operator ~ is not supported");
    refused("n > 1e5", "a number is to be written with digits and a point");
    refused("i = $1", "ParamRef is not supported");
    for (const char* minus : {"-7", "- 7", "-(7)", "-(-(-7))", "- ( - -7)", "-\n007"})
        CHECK(computed(Expression::compile(minus, *relation, {}), {}) == "=-7");
    CHECK(computed(Expression::compile("-0", *relation, {}), {}) == "=0");
    refused("- /* 1 */ 7 = i", "the constant cannot be told");
    refused("sum(i) > 1", "sum() is not supported");
}
