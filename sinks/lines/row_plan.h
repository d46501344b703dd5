// A relation's columns, compiled for writing its rows as JSON objects.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sinks/lines/json_value.h"
#include "stream/change.h"

namespace pgsluice {

struct RowPlan {
    struct Field {
        std::string name;  // `,"name":`; the first one of a row is written without its comma
        JsonType type;
        bool key;
    };
    std::vector<Field> fields;

    explicit RowPlan(const Relation& relation);
};

enum class Unchanged : unsigned char {
    leave_out,    // no field at all
    placeholder,  // Debezium's "__debezium_unavailable_value"
};

class RowWriter {
   public:
    explicit RowWriter(Unchanged unchanged) : unchanged_(unchanged) {}
    // Appends `{"a":1,...}`; with `keys_only` just the replica identity's columns. True when a value was unchanged.
    bool append(std::string& out, const RowPlan& plan, Row row, bool keys_only);

   private:
    Unchanged unchanged_;
    JsonValueWriter values_;
};

// Things compiled per relation version, kept under its address. The one used last is found without a look-up.
template <typename Compiled>
class PerRelation {
   public:
    Compiled& at(const Relation& relation) {
        if (&relation != last_) {
            current_ = &compiled_.try_emplace(&relation, relation).first->second;
            last_ = &relation;
        }
        return *current_;
    }

   private:
    std::unordered_map<const Relation*, Compiled> compiled_;
    const Relation* last_ = nullptr;
    Compiled* current_ = nullptr;
};

}  // namespace pgsluice
