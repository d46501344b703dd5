// The definitions of tables that a worker's rules were applied to: the KV keys `seen.<worker>.<oid>` (FORMAT.md,
// "Keys"). Rules refer to columns by name; from these a later session of the worker learns which columns the names
// meant.
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
    Position from;  // of the first row with this definition
    Relation relation;
    std::vector<std::string> ruled;             // columns that had a rule other than keep
    std::map<std::int16_t, std::string> names;  // by number; includes columns dropped earlier

    bool operator==(const PastDefinition&) const = default;
};

struct TableHistory {
    std::vector<PastDefinition> accepted;  // oldest first; at least those of rows that may be read again
    std::optional<Relation> refused;       // read after those; the rules did not fit it

    bool operator==(const TableHistory&) const = default;
};

std::string encode(const TableHistory& table);
// A stop Error when it is malformed.
TableHistory decode_seen_table(std::string_view json);

class SchemaHistory {
   public:
    SchemaHistory(Broker& broker, const Names& names, const std::string& worker);
    // That of a replicator that applies rules: `seen_by_source.<oid>`, which no worker may write.
    static SchemaHistory of_source(Broker& broker, const Names& names);

    [[nodiscard]] std::map<Oid, TableHistory> load();
    // Null removes the key. A stop Error when the value does not fit into one message.
    void put(Oid table, const TableHistory* seen);
    void clear();

   private:
    struct Prefix {
        std::string text;
    };
    SchemaHistory(Broker& broker, const Names& names, Prefix prefix);
    [[nodiscard]] std::vector<std::string> keys();
    [[nodiscard]] TableHistory read(const std::string& key, std::string_view json) const;

    Broker& broker_;
    Names names_;
    std::string prefix_;
};

}  // namespace pgsluice
