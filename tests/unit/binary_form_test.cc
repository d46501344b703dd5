#include "sinks/postgres/binary_form.h"

#include <doctest/doctest.h>

#include <optional>

#include "stream/base/hex.h"

using namespace pgsluice;

namespace {

// As hexadecimal digits; "none" where the text has no binary form.
std::string binary(BinaryForm form, std::string_view text) {
    std::string bytes;
    if (!append_binary(bytes, form, text)) return "none";
    return to_hex(bytes);
}

}  // namespace

// The expected bytes are what PostgreSQL 15's send functions give for these texts (SELECT int2send('-1') and so on).
TEST_CASE("values of fixed width in binary") {
    CHECK(binary(BinaryForm::text, "a'\\") == "61275c");
    CHECK(binary(BinaryForm::int2, "-32768") == "8000");
    CHECK(binary(BinaryForm::int4, "2147483647") == "7fffffff");
    CHECK(binary(BinaryForm::int8, "-1") == "ffffffffffffffff");
    CHECK(binary(BinaryForm::float4, "1.1") == "3f8ccccd");
    CHECK(binary(BinaryForm::float8, "-0") == "8000000000000000");
    CHECK(binary(BinaryForm::float8, "1e-07") == "3e7ad7f29abcaf48");
    CHECK(binary(BinaryForm::boolean, "t") == "01");
    CHECK(binary(BinaryForm::boolean, "f") == "00");
    CHECK(binary(BinaryForm::date, "2000-01-01") == "00000000");
    CHECK(binary(BinaryForm::date, "1999-12-31") == "ffffffff");
    CHECK(binary(BinaryForm::date, "2024-02-29") == "00002279");
    CHECK(binary(BinaryForm::timestamp, "2000-01-01 00:00:01.5") == "000000000016e360");
    CHECK(binary(BinaryForm::timestamp, "0001-01-01 00:00:00") == "ff1fe2ffc59c6000");
    CHECK(binary(BinaryForm::timestamptz, "9999-12-31 23:59:59.999999+00") == "0380e70b913b7fff");
    CHECK(binary(BinaryForm::uuid, "00112233-4455-6677-8899-aabbccddeeFF") == "00112233445566778899aabbccddeeff");
}

TEST_CASE("numerics in binary") {
    CHECK(binary(BinaryForm::numeric, "0") == "0000000000000000");
    CHECK(binary(BinaryForm::numeric, "0.00") == "0000000000000002");
    CHECK(binary(BinaryForm::numeric, "1") == "00010000000000000001");
    CHECK(binary(BinaryForm::numeric, "-12.50") == "0002000040000002000c1388");
    CHECK(binary(BinaryForm::numeric, "10000") == "00010001000000000001");
    CHECK(binary(BinaryForm::numeric, "0.00001") == "0001fffe0000000503e8");
    CHECK(binary(BinaryForm::numeric, "123456789.123456789") ==
          "000600020000000900010929"
          "1a8504d2162e2328");
}

TEST_CASE("what only the server can read has no binary form") {
    for (const char* text : {"", " 1", "+1", "1 ", "1.0", "0x10", "32768", "one"}) {
        CAPTURE(text);
        CHECK(binary(BinaryForm::int2, text) == "none");
    }
    CHECK(binary(BinaryForm::int4, "2147483648") == "none");
    CHECK(binary(BinaryForm::int8, "9223372036854775808") == "none");
    for (const char* text : {"", "NaN", "Infinity", "-Infinity", "1e400", "1e-400", "0x1p3", "1."}) {
        CAPTURE(text);
        CHECK(binary(BinaryForm::float8, text) == "none");
    }
    for (const char* text : {"true", "", "T"}) CHECK(binary(BinaryForm::boolean, text) == "none");
    for (const char* text : {"infinity", "0044-03-15 BC", "10000-01-01", "2023-02-29", "2023-13-01", "2023-1-1",
                             "0000-01-01", "2023-00-10", "2023/01/01"}) {
        CAPTURE(text);
        CHECK(binary(BinaryForm::date, text) == "none");
        CHECK(binary(BinaryForm::timestamp, std::string(text) + " 00:00:00") == "none");
    }
    for (const char* text : {"2023-01-01", "2023-01-01T00:00:00", "2023-01-01 24:00:00", "2023-01-01 00:60:00",
                             "2023-01-01 00:00:60", "2023-01-01 00:00:00.", "2023-01-01 00:00:00.1234567",
                             "2023-01-01 00:00:00.1x", "2023-01-01 00:00:00 BC", "2023-01-01 00:00:00+00"}) {
        CAPTURE(text);
        CHECK(binary(BinaryForm::timestamp, text) == "none");
    }
    CHECK(binary(BinaryForm::timestamptz, "2023-01-01 00:00:00") == "none");
    CHECK(binary(BinaryForm::timestamptz, "2023-01-01 00:00:00+02") == "none");
    for (const char* text : {"", "00112233445566778899aabbccddeeff", "{0112233-4455-6677-8899-aabbccddeef}",
                             "0011223g-4455-6677-8899-aabbccddeeff"})
        CHECK(binary(BinaryForm::uuid, text) == "none");
    for (const char* text : {"", "-", ".5", "1.", "1e5", "NaN", "Infinity", "1_000", "--1", "1.2.3"}) {
        CAPTURE(text);
        CHECK(binary(BinaryForm::numeric, text) == "none");
    }
    CHECK(binary(BinaryForm::numeric, std::string(201, '1')) == "none");
}

TEST_CASE("a type has a form by the name that the catalog gives it") {
    CHECK(binary_form_of("bigint") == BinaryForm::int8);
    CHECK(binary_form_of("timestamp with time zone") == BinaryForm::timestamptz);
    CHECK(binary_form_of("public.bigint") == BinaryForm::text);
    CHECK(binary_form_of("jsonb") == BinaryForm::text);
    CHECK(type_oid(BinaryForm::numeric) == 1700);
    CHECK(type_name(BinaryForm::timestamp) == "timestamp");
}
