// What a column's new type makes of the values that are there, as PostgreSQL converts them.
#include "stream/definition/type_conversion.h"

#include <doctest/doctest.h>

using namespace pgsluice;

namespace {

ColumnDefinition column(const char* type, Oid oid, std::int32_t typmod = -1) {
    ColumnDefinition made;
    made.type = type;
    made.type_oid = oid;
    made.typmod = typmod;
    return made;
}

const ColumnDefinition int4 = column("integer", 23), int8 = column("bigint", 20), text = column("text", 25),
                       varchar = column("character varying", 1043), date = column("date", 1082),
                       timestamp = column("timestamp without time zone", 1114), numeric = column("numeric", 1700);

ColumnDefinition varchar_of(int length) {
    return column(("character varying(" + std::to_string(length) + ")").c_str(), 1043, length + 4);
}
ColumnDefinition numeric_of(int precision, int scale) {
    return column(("numeric(" + std::to_string(precision) + "," + std::to_string(scale) + ")").c_str(), 1700,
                  (precision << 16 | (scale & 0x7ff)) + 4);
}
ColumnDefinition timestamp_of(int digits) {
    return column(("timestamp(" + std::to_string(digits) + ") without time zone").c_str(), 1114, digits);
}

}  // namespace

TEST_CASE("a new type that leaves every value's text") {
    CHECK(conversion_of(int4, int8) == Conversion::none);
    CHECK(conversion_of(int8, int4) == Conversion::none);  // or fails
    CHECK(conversion_of(int4, numeric) == Conversion::none);
    CHECK(conversion_of(int4, numeric_of(12, 0)) == Conversion::none);
    CHECK(conversion_of(int8, varchar_of(3)) == Conversion::none);  // or fails
    CHECK(conversion_of(varchar, text) == Conversion::none);
    CHECK(conversion_of(varchar_of(3), text) == Conversion::none);
    CHECK(conversion_of(varchar_of(3), varchar_of(5)) == Conversion::none);
    CHECK(conversion_of(varchar_of(3), varchar) == Conversion::none);
    CHECK(conversion_of(text, varchar) == Conversion::none);
    CHECK(conversion_of(numeric_of(8, 2), numeric_of(10, 2)) == Conversion::none);
    CHECK(conversion_of(numeric_of(8, 2), numeric) == Conversion::none);
    CHECK(conversion_of(timestamp_of(3), timestamp) == Conversion::none);
    CHECK(conversion_of(timestamp_of(0), timestamp_of(3)) == Conversion::none);
    CHECK(conversion_of(column("public.mood", 20001), column("public.feeling", 20001)) == Conversion::none);
    CHECK(conversion_of(column("public.mood", 0), column("public.mood", 0)) == Conversion::none);
}

TEST_CASE("a new type that loses nothing, but writes values otherwise") {
    CHECK(conversion_of(int4, numeric_of(10, 2)) == Conversion::written);
    CHECK(conversion_of(numeric_of(8, 2), numeric_of(10, 4)) == Conversion::written);
    CHECK(conversion_of(date, timestamp) == Conversion::written);
    CHECK(conversion_of(column("real", 700), column("double precision", 701)) == Conversion::written);
    CHECK(conversion_of(column("public.mood", 20001), text) == Conversion::written);
}

TEST_CASE("a new type that may cut, round or change values") {
    CHECK(conversion_of(text, varchar_of(5)) == Conversion::other);  // blanks
    CHECK(conversion_of(varchar_of(5), varchar_of(3)) == Conversion::other);
    CHECK(conversion_of(numeric, numeric_of(10, 2)) == Conversion::other);
    CHECK(conversion_of(numeric_of(10, 4), numeric_of(12, 2)) == Conversion::other);
    CHECK(conversion_of(int4, numeric_of(5, -2)) == Conversion::other);
    CHECK(conversion_of(numeric_of(5, -2), numeric_of(5, -3)) == Conversion::other);
    CHECK(conversion_of(timestamp, date) == Conversion::other);
    CHECK(conversion_of(timestamp, timestamp_of(0)) == Conversion::other);
    CHECK(conversion_of(timestamp, column("timestamp with time zone", 1184)) == Conversion::other);
    CHECK(conversion_of(text, int4) == Conversion::other);
    CHECK(conversion_of(column("public.mood", 20001), varchar_of(3)) == Conversion::other);
    CHECK(conversion_of(column("public.mood", 0), text) == Conversion::other);
}
