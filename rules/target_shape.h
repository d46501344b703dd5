// What the files make of a table's shape: columns left out, added, computed and renamed.
#pragma once

#include <string>
#include <vector>

#include "rules/rows/computed_values.h"
#include "rules/rule_compiler.h"

namespace pgsluice::rules {

struct TargetShape {
    RelationPtr target;                   // the source's, where nothing changes
    std::vector<std::size_t> projection;  // as in CompiledParts
    std::vector<std::size_t> position;    // of each source column in the target
    std::vector<bool> excluded;           // of each source column
    std::vector<ComputedStep> computed;
    std::vector<std::string> description;
};

// `needed`: row operations that reach the target. usage Error when something does not fit.
TargetShape target_shape(const CompilerInput& input, Operations needed);

// usage Error when there is none of this name.
std::size_t column_of(const Relation& relation, const std::string& name, const Place& place);
// Of a primary key or unique index that tells rows apart, and not only of a FULL identity.
inline bool tells_rows_apart(const Relation& relation, std::size_t column) {
    return relation.columns[column].key && relation.identity != ReplicaIdentity::full;
}

}  // namespace pgsluice::rules
