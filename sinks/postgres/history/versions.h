// A batch's changes of one table as versions. Pure: knows no connection.
//
// Changes of a key within a transaction come to one version (unless each is to be one), and versions of a key are
// written one after the other: each layer holds one of a key at most, so that a statement over arrays can write it.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "sinks/postgres/apply/net_changes.h"
#include "sinks/postgres/target_mapping.h"
#include "stream/base/arena.h"
#include "stream/change.h"

namespace pgsluice {

// timestamptz_text() of its transaction; of a change outside any the time now.
std::string commit_time_text(const Change& change);

class Versions {
   public:
    struct Moved {
        Row row;
        Row key_row;  // under which it was
        ColumnSet sent;
    };
    // All rows have the commit time as text after their columns (time_column()).
    struct Layer {
        std::vector<Row> removed;
        std::map<ColumnSet, std::vector<Row>> updated;  // by the columns that are known
        std::vector<Row> inserted;
        std::vector<Moved> moved;
    };

    // In order; the result is valid until the next call, and as long as the changes live.
    std::span<const Layer> of(const TargetMapping& mapping, std::span<const Change* const> changes);

   private:
    void add_transaction(std::span<const Change* const> changes);
    void add(const Change& change);
    [[nodiscard]] Row with_time(Row row);
    Layer& layer_after(std::initializer_list<Row> keys);
    [[nodiscard]] std::string key_of(Row row) const;

    const TargetMapping* mapping_ = nullptr;
    Value time_;  // of the transaction at hand
    NetChanges net_;
    Arena arena_;
    std::vector<Layer> layers_;
    std::unordered_map<std::string, std::size_t> last_;  // by key: the number of layers that it needs
};

}  // namespace pgsluice
