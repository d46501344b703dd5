// A canary in every type of column, and for each type a column for each way in which the table of transforms can hide
// it. A new transform is in it by its entry in that table.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rules/transforms/transform.h"
#include "stream/change.h"

namespace pgsluice::test {

struct CanaryType {
    std::string name;
    std::string sql;         // "varchar(200)"
    Column column{};         // as the replicator knows it
    std::string value{};     // as the server prints it; it holds one of canary_needles()
    std::string harmless{};  // of the same type, for transforms that are given what to write
    // How a transform of another one gets to the canary within, with %s for that one; empty: there is nothing within.
    std::string within{};
    std::string harmless_within{"none"};
    bool any_length = false;

    // "t_jsonb"
    [[nodiscard]] std::string table() const { return "t_" + name; }
    // SQL; `more` bytes longer, where the type takes them.
    [[nodiscard]] std::string literal(int more = 0) const;
};

// Parameters in YAML: "type: mask, keep_first: 0".
struct CanaryColumn {
    std::string kind;
    std::string parameters;
    bool keeps_distinct = false;
};

std::span<const CanaryType> canary_types();
// All transforms that take the type, each with the parameters of its examples.
std::vector<CanaryColumn> canary_columns(const CanaryType& type, const std::string& secret_file);

// Makes what parameters in YAML say. A usage Error where they are wrong.
std::unique_ptr<rules::Transform> canary_transform(const std::string& parameters, const std::string& secret_file);

// What no place beyond the source may hold: of every type's value a part that no transform may leave, and of texts also
// in hexadecimal digits and in base64.
std::span<const std::string> canary_needles();
// The first needle in the text; empty when there is none.
std::string found_canary(std::string_view text);

// SQL for the types that no server has by itself.
extern const char* const canary_types_sql;

}  // namespace pgsluice::test
