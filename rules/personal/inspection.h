// What is found in a column: by its name and type, its comment, a label of PostgreSQL Anonymizer, and sampled values.
//
// Findings hold no value, nor any part of a comment or label.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rules/personal/kind.h"
#include "stream/change.h"

namespace pgsluice::rules {

// What the catalog says of a column beside what a relation has.
struct ColumnFacts {
    bool nullable = true;
    std::string comment;
    std::string label;  // of the provider anon: "MASKED WITH FUNCTION anon.fake_email()"
};

struct Finding {
    PersonalKind kind = PersonalKind::none;
    std::string path{};    // within JSON; empty: the whole value
    std::string reason{};  // "its name, 98 of 100 different values"
};

// Of JSON several, of others one at most.
std::vector<Finding> inspect(const Relation& relation, const Column& column, const ColumnFacts& facts,
                             std::span<const Value> values);

}  // namespace pgsluice::rules
