// What the reader of a sink's lines must be told when a copy begins: which of the rows it has are void.
//
// A group's first copy voids nothing. A further copy of all tables voids the rows of those before it. A copy of tables
// that joined a running group (SnapshotBegin::added) voids what was sent of those among them that are copied again
// (SnapshotBegin::replaces), and when it follows one of its kind that was interrupted, the rows of that one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sinks/lines/json_line.h"
#include "sinks/sink.h"

namespace pgsluice {

// Of the tables of a copy, those that were delivered before and are void now. Null ones are left out.
std::vector<RelationPtr> replaced_tables(const SnapshotBegin& begin, const std::vector<RelationPtr>& tables);

class CopyNotice {
   public:
    // `sent` is what the sink does with rows, for messages: "printed".
    explicit CopyNotice(std::string_view sent) : sent_(sent) {}

    // To be called by every begin_snapshot(): appends the line that names the void rows, and returns a warning that
    // says the same; both stay empty where none are. `state` is the sink's, before this copy.
    std::string begin(std::string& out, LineEncoder& encoder, const SnapshotBegin& begin,
                      const std::vector<RelationPtr>& tables, const SinkState& state);

   private:
    std::string sent_;
    std::vector<RelationPtr> copied_;  // tables of the copy under way
};

}  // namespace pgsluice
