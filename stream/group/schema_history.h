// The definitions of tables that a worker's rules were applied to: the KV keys `seen.<worker>.<oid>` (FORMAT.md,
// "Keys"). Rules go by columns' names; these tell a later session of the worker what the names stood for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/broker.h"
#include "stream/change.h"
#include "stream/position.h"

namespace pgsluice {

struct PastDefinition {
    Position from;  // of the first row that came with it
    Relation relation;
    std::vector<std::string> ruled;             // columns that had a rule other than keep
    std::map<std::int16_t, std::string> names;  // by number, also of columns dropped before

    bool operator==(const PastDefinition&) const = default;
};

struct TableHistory {
    std::vector<PastDefinition> accepted;  // oldest first; at least those of rows that may come again
    std::optional<Relation> refused;       // met behind those, and the rules did not fit it

    bool operator==(const TableHistory&) const = default;
};

std::string encode(const TableHistory& table);
// A stop Error when it is not that.
TableHistory decode_seen_table(std::string_view json);

class SchemaHistory {
   public:
    SchemaHistory(Broker& broker, const Names& names, const std::string& worker);

    [[nodiscard]] std::map<Oid, TableHistory> load();
    // Null takes it away. A stop Error when it does not fit into a message of the broker.
    void put(Oid table, const TableHistory* seen);
    void clear();

   private:
    [[nodiscard]] std::vector<std::string> keys();

    Broker& broker_;
    Names names_;
    std::string prefix_;
};

}  // namespace pgsluice
