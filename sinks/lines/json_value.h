// A column's value as JSON, by the column's type.
//
//   smallint, integer, bigint, real, double precision   number, with PostgreSQL's digits; NaN and infinities a string
//   boolean                                             true, false
//   json, jsonb                                         the document itself, without white space between tokens
//   arrays of all types                                 arrays, nested as the dimensions are; lower bounds other than 1
//                                                       (`[2:3]={a,b}`) are not kept
//   everything else                                     PostgreSQL's text as a string
//
// A domain counts as its base type. Text that is not what the type promises (a rule masked a number) becomes a string;
// text that is not UTF-8 as append_json_string() says.
#pragma once

#include <string>
#include <string_view>

#include "sinks/lines/json_bytes.h"
#include "stream/change.h"

namespace pgsluice {

struct JsonType {
    enum class Kind : unsigned char { text, number, boolean, json };
    Kind kind = Kind::text;  // of the elements when `array`
    bool array = false;
    char delimiter = ',';  // between an array's elements: pg_type.typdelim
};

JsonType json_type(const Column& column);

class JsonValueWriter {
   public:
    // `text` is the value's text; NULL is the caller's to write.
    void append(std::string& out, JsonType type, std::string_view text);

   private:
    void append_scalar(std::string& out, JsonType::Kind kind, std::string_view text);
    bool append_array(std::string& out, JsonType type, std::string_view text);
    std::size_t append_element(std::string& out, JsonType type, std::string_view text, std::size_t at);
    JsonCompactor compactor_;
    std::string element_;  // an array's quoted element without its escapes
};

}  // namespace pgsluice
