// A relation's columns, compiled for writing its rows as JSON objects.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sinks/lines/json_value.h"
#include "stream/change.h"

namespace pgsluice {

struct JsonColumns {
    struct Field {
        std::string name;  // `,"name":`; the first one of a row is written without its comma
        JsonType type;
        bool key;
    };
    std::vector<Field> fields;

    explicit JsonColumns(const Relation& relation);
};

enum class Unchanged : unsigned char {
    leave_out,    // no field at all
    placeholder,  // Debezium's "__debezium_unavailable_value"
};

class RowWriter {
   public:
    explicit RowWriter(Unchanged unchanged) : unchanged_(unchanged) {}
    // Appends `{"a":1,...}`; with `keys_only` just the replica identity's columns. True when a value was unchanged.
    bool append(std::string& out, const JsonColumns& columns, Row row, bool keys_only);

   private:
    Unchanged unchanged_;
    JsonValueWriter values_;
};

}  // namespace pgsluice
