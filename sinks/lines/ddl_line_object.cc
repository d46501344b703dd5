#include "sinks/lines/ddl_line_object.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice {

namespace {

struct Names {
    std::string type;

    DdlLineObject operator()(const TableDefinition& t) const { return named(t.schema, t.name, t.schema, t.name); }
    DdlLineObject operator()(const IndexDefinition& i) const {
        return named(i.schema, i.name, i.table.schema, i.table.name);
    }
    DdlLineObject operator()(const StatisticsDefinition& s) const {
        return named(s.schema, s.name, s.table.schema, s.table.name);
    }
    DdlLineObject operator()(const SequenceDefinition& s) const { return named(s.schema, s.name, s.schema, ""); }
    DdlLineObject operator()(const TypeDefinition& t) const { return named(t.schema, t.name, t.schema, ""); }
    DdlLineObject operator()(const SchemaDefinition& s) const { return {type, s.name, s.name, "", false}; }
    DdlLineObject operator()(const ExtensionDefinition& e) const { return {type, e.name, e.schema, "", false}; }

   private:
    [[nodiscard]] DdlLineObject named(const std::string& schema, const std::string& name,
                                      const std::string& table_schema, const std::string& table) const {
        return {type, fmt::format("{}.{}", schema, name), table_schema, table, false};
    }
};

}  // namespace

DdlLineObject line_object(const DefinitionMessage& message) {
    if (message.objects.empty()) return {};
    const auto changed = std::find_if(message.objects.begin(), message.objects.end(),
                                      [](const DefinitionChange& one) { return !(one.before == one.after); });
    const DefinitionChange& change = changed == message.objects.end() ? message.objects.front() : *changed;
    DdlLineObject object =
        std::visit(Names{std::string(class_of(change))}, change.after ? *change.after : *change.before);
    object.dropped = !change.after;
    return object;
}

}  // namespace pgsluice
