// The routing file: a map of source tables to
//     {source_table, destination_table, column_mappings: [{source, destination}], operations, replicate}
#include <fmt/format.h>

#include <algorithm>

#include "rules/file/fields.h"
#include "rules/rule.h"

namespace pgsluice::rules {
namespace {

void read_mappings(Route& route, const Node& list) {
    if (list.is_null()) return;
    if (!list.is_list()) throw refuse(route.place, "'column_mappings' must be a list");
    for (const Node& item : list.items) {
        Fields fields(item, route.place, "a column mapping");
        auto mapping = std::pair(fields.required_text("source"), fields.required_text("destination"));
        fields.expect_end();
        Place place = fields.place_of(item);
        place.column = mapping.first;
        if (mapping.first.empty() || mapping.second.empty()) throw refuse(place, "a column's name is empty");
        for (const auto& [source, target] : route.columns) {
            if (source == mapping.first) throw refuse(place, "the column is mapped twice");
            if (target == mapping.second) throw refuse(place, fmt::format("two columns are mapped to '{}'", target));
        }
        route.columns.push_back(std::move(mapping));
    }
}

Route read_route(const Node& node, Place place) {
    place.line = node.line;
    Route route;
    route.source = TableName::parse(node.key, place);
    place.table = node.key;
    route.place = place;
    Fields fields(node, place, "a route");
    if (const auto source = fields.text("source_table"); source && *source != node.key) {
        const TableName named = TableName::parse(*source, place);
        if (named.table != route.source.table || (!named.schema.empty() && !route.source.schema.empty()))
            throw refuse(place, fmt::format("'source_table' says '{}'", *source), "Name the table as its entry does.");
        if (route.source.schema.empty()) route.source.schema = named.schema;
    }
    if (const auto target = fields.text("destination_table")) route.target = TableName::parse(*target, place);
    if (const Node* mappings = fields.take("column_mappings")) read_mappings(route, *mappings);
    if (const Node* operations = fields.take("operations"))
        route.operations = read_operations(*operations, place, all_operations);
    route.replicate = fields.flag("replicate", true);
    fields.expect_end();
    return route;
}

}  // namespace

std::vector<Route> read_routes(const Node& root, const std::string& path) {
    const Place place{path, 0, {}, 0, {}};
    std::vector<Route> routes;
    if (!root.is_map()) throw refuse(place, "a routing file must map source tables to routes");
    for (const Node& node : root.items) {
        Route route = read_route(node, place);
        for (const Route& other : routes)
            if (other.source == route.source) throw refuse(route.place, "the table appears twice");
        routes.push_back(std::move(route));
    }
    return routes;
}

}  // namespace pgsluice::rules
