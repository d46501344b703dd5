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
    DdlLineObject operator()(const ViewDefinition& v) const { return named(v.schema, v.name, v.schema, ""); }
    DdlLineObject operator()(const FunctionDefinition& f) const {
        return named(f.schema, fmt::format("{}({})", f.name, f.arguments), f.schema, "");
    }
    DdlLineObject operator()(const TriggerDefinition& t) const { return on(t.table, t.name); }
    DdlLineObject operator()(const PolicyDefinition& p) const { return on(p.table, p.name); }
    DdlLineObject operator()(const GrantsDefinition& g) const {
        return named(g.table.schema, g.table.name, g.table.schema, g.table.name);
    }

   private:
    [[nodiscard]] DdlLineObject on(const ObjectName& table, const std::string& name) const {
        return {type, fmt::format("{} on {}.{}", name, table.schema, table.name), table.schema, table.name, false};
    }
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
