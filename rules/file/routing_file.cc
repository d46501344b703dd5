// The routing file: a map of source tables to routes, as pg_flo has it,
//     {source_table, destination_table, column_mappings: [{source, destination}], operations, replicate,
//      mode, columns: {name: value, only: [name]}, history: {...}, where: expression,
//      set: {name: expression}}
// or a map of
//     defaults: {schema, mode, columns, history}    for every table
//     tables: {table or pattern: route}             `to` is short for destination_table
#include <fmt/format.h>

#include <algorithm>

#include "rules/expressions/expression.h"
#include "rules/file/constant_columns.h"
#include "rules/file/fields.h"
#include "rules/rule.h"

namespace pgsluice::rules {
namespace {

constexpr Operations without_removals{Op::insert, Op::update};

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

// As Kuvasz-streamer has them.
HistoryColumns kuvasz_history() {
    return {"kvsz_start", "kvsz_end", "kvsz_deleted", "1900-01-01 00:00:00+00", "9999-01-01 00:00:00+00", false};
}

// What it does not say is as before, perhaps as the defaults have it.
HistoryColumns read_history(const Node& node, const Place& place, HistoryColumns history) {
    if (node.is_scalar() && node.text == "kuvasz") return kuvasz_history();
    Fields fields(node, place, "'history'");
    const auto read = [&](std::string_view key, std::string& into) {
        if (auto text = fields.text(key)) into = std::move(*text);
    };
    read("valid_from", history.valid_from);
    read("valid_to", history.valid_to);
    read("deleted", history.deleted);
    read("first", history.first);
    read("open", history.open);
    const std::string versions = fields.text("versions").value_or(history.every_change ? "change" : "transaction");
    if (versions != "transaction" && versions != "change")
        throw refuse(place, fmt::format("'versions' says '{}'", versions), "Known: transaction, change.");
    history.every_change = versions == "change";
    fields.expect_end();
    return history;
}

Keeping::Mode read_mode(const std::string& text, const Place& place) {
    if (text == "clone") return Keeping::Mode::clone;
    if (text == "append") return Keeping::Mode::append;
    if (text == "history") return Keeping::Mode::history;
    throw refuse(place, fmt::format("unknown mode '{}'", text), "Known modes: clone, append, history.");
}

void read_listed(std::vector<ListedColumn>& listed, const Node& list, Place place) {
    place.line = list.line;
    if (list.items.empty())
        throw refuse(place, "'only' lists no column", "Set 'replicate: false' in the table's route to leave it out.");
    for (const Node& item : list.items) {
        place.line = item.line;
        place.column = item.text;
        if (!item.is_scalar() || item.text.empty()) throw refuse(place, "'only' must list the names of columns");
        if (std::ranges::find(listed, item.text, &ListedColumn::name) != listed.end())
            throw refuse(place, "'only' lists the column twice");
        listed.push_back({item.text, place});
    }
}

// `only`, where it is a list, is no constant of that name.
void read_columns(Route& route, Node columns) {
    const auto only =
        std::ranges::find_if(columns.items, [](const Node& node) { return node.key == "only" && node.is_list(); });
    if (only != columns.items.end()) {
        if (route.source == TableName::any())
            throw refuse(route.place, "'only' is for the route of a table or pattern, and not for all tables");
        read_listed(route.only, *only, route.place);
        columns.items.erase(only);
    }
    read_constants(route.constants, columns, route.place);
}

// What `defaults` may say, too.
void read_keeping(Route& route, Fields& fields) {
    if (const auto mode = fields.text("mode")) route.mode = read_mode(*mode, route.place);
    if (const Node* columns = fields.take("columns")) read_columns(route, *columns);
    if (const Node* history = fields.take("history"))
        route.history = read_history(*history, route.place, route.history);
}

WrittenExpression read_expression(const Node& node, Place place) {
    place.line = node.line;
    if (!node.is_scalar() || node.text.empty())
        throw refuse(place, fmt::format("'{}' must be an expression", node.key));
    return {node.text, place, columns_named(node.text, place)};
}

void read_computed(Route& route, const Node& map) {
    Place place = route.place;
    place.line = map.line;
    if (!map.is_map() || map.items.empty()) throw refuse(place, "'set' must be a map of columns and expressions");
    for (const Node& node : map.items) {
        if (node.key.empty()) throw refuse(place, "a column's name is empty");
        place.column = node.key;
        route.set.push_back({node.key, read_expression(node, place)});
    }
}

std::optional<std::string> read_target(Fields& fields, const Place& place) {
    auto to = fields.text("to");
    auto destination = fields.text("destination_table");
    if (to && destination) throw refuse(place, "both 'to' and 'destination_table' are given");
    return to ? to : destination;
}

void read_source(Route& route, const Node& node, Fields& fields) {
    const auto source = fields.text("source_table");
    if (!source || *source == node.key) return;
    const TableName named = TableName::parse(*source, route.place);
    if (named.table != route.source.table || (!named.schema.empty() && !route.source.schema.empty()))
        throw refuse(route.place, fmt::format("'source_table' says '{}'", *source),
                     "Name the table as its entry does.");
    if (route.source.schema.empty()) route.source.schema = named.schema;
}

Route read_route(const Node& node, Place place, const Route& defaults) {
    place.line = node.line;
    Route route = defaults;
    route.source = TableName::parse_pattern(node.key, place);
    place.table = node.key;
    route.place = place;
    if (node.is_null()) return route;
    Fields fields(node, place, "a route");
    read_source(route, node, fields);
    if (const auto target = read_target(fields, place)) {
        const std::string schema = route.target.schema;
        route.target = TableName::parse(*target, place);
        if (route.target.schema.empty()) route.target.schema = schema;
    }
    if (const Node* mappings = fields.take("column_mappings")) read_mappings(route, *mappings);
    const Node* operations = fields.take("operations");
    if (operations != nullptr) route.operations = read_operations(*operations, place, all_operations);
    if (const Node* where = fields.take("where")) route.where = read_expression(*where, place);
    if (const Node* set = fields.take("set")) read_computed(route, *set);
    route.replicate = fields.flag("replicate", true);
    read_keeping(route, fields);
    fields.expect_end();
    if (route.replicate && route.mode == Keeping::Mode::append && !route.operations.any(without_removals))
        throw refuse(fields.place_of(*operations), "'operations' lets through only what mode append leaves out",
                     "List INSERT or UPDATE, or set 'replicate: false' to leave the table out.");
    return route;
}

Route read_defaults(const Node& node, Place place) {
    place.line = node.line;
    place.table = "defaults";
    Route route;
    route.source = TableName::any();
    route.place = place;
    Fields fields(node, place, "'defaults'");
    route.target.schema = fields.text("schema").value_or("");
    read_keeping(route, fields);
    fields.expect_end();
    return route;
}

// Once its mode is certain: a route may have another one than the defaults.
void add(std::vector<Route>& routes, Route route) {
    if (route.mode == Keeping::Mode::append) route.operations = route.operations & without_removals;
    routes.push_back(std::move(route));
}

// A file of pg_flo's may have a table of such a name: its entry is no map of maps.
bool has_sections(const Node& root) {
    return !root.items.empty() && std::all_of(root.items.begin(), root.items.end(), [](const Node& node) {
        const bool tables = node.key == "tables" && node.is_map();
        return (node.key == "defaults" && node.is_map()) ||
               (tables && std::all_of(node.items.begin(), node.items.end(),
                                      [](const Node& table) { return table.is_map() || table.is_null(); }));
    });
}

void read_tables(std::vector<Route>& routes, const Node& tables, const Place& place, const Route& defaults) {
    for (const Node& node : tables.items) {
        Route route = read_route(node, place, defaults);
        for (const Route& other : routes)
            if (other.source == route.source) throw refuse(route.place, "the table appears twice");
        add(routes, std::move(route));
    }
}

}  // namespace

std::vector<Route> read_routes(const Node& root, const std::string& path) {
    const Place place{path, 0, {}, 0, {}};
    std::vector<Route> routes;
    if (!root.is_map()) throw refuse(place, "a routing file must map source tables to routes");
    if (!has_sections(root)) {
        read_tables(routes, root, place, {});
        return routes;
    }
    const auto section = [&](std::string_view key) {
        return std::find_if(root.items.begin(), root.items.end(), [&](const Node& node) { return node.key == key; });
    };
    const auto defaults = section("defaults");
    const auto tables = section("tables");
    const Route all = defaults == root.items.end() ? Route{} : read_defaults(*defaults, place);
    if (tables != root.items.end()) read_tables(routes, *tables, place, all);
    if (defaults != root.items.end()) add(routes, all);
    return routes;
}

}  // namespace pgsluice::rules
