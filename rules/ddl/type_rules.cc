#include "rules/ddl/type_rules.h"

#include <fmt/format.h>

namespace pgsluice::rules {

namespace {

struct Uses {
    bool shown = false;
    bool masked = false;
};

void note(const FilesSay& files, const TypeUse& use, Uses& uses) {
    const TableSays says = files.of(use.table, use.ancestors, use.columns);
    if (is_left_out(says, use.table.schema, use.table.name)) return;
    for (const std::string& column : use.columns) {
        if (says.excludes(column)) continue;
        const bool hidden = says.masked.contains(column) || says.unnamed.contains(column);
        (hidden ? uses.masked : uses.shown) = true;
    }
}

void strip(std::optional<Definition>& side) {
    if (!side) return;
    auto& type = std::get<TypeDefinition>(*side);
    type.labels.clear();
    type.expression.clear();
    type.constraints.clear();
    type.comment.clear();
}

}  // namespace

bool keep_type(const FilesSay& files, DefinitionChange& change) {
    if (!files.hides_any()) return true;
    Uses uses;
    if (change.used_by)
        for (const TypeUse& use : *change.used_by) note(files, use, uses);
    if (uses.shown) return true;
    strip(change.before);
    if (!change.after) return true;
    const auto& type = std::get<TypeDefinition>(*change.after);
    if (uses.masked && type.kind == 'e')
        change.obstacle = fmt::format("only columns with rules use the type '{}.{}', and its labels are values of them",
                                      type.schema, type.name);
    strip(change.after);
    return uses.masked;
}

}  // namespace pgsluice::rules
