#include "stream/definition/definition_message.h"

#include <fmt/format.h>

#include <array>
#include <concepts>

#include "stream/definition/definition_fields.h"

namespace pgsluice {

namespace {

constexpr std::array<std::string_view, std::variant_size_v<Definition>> class_names{
    "table",     "index", "sequence", "type",    "schema", "statistics",
    "extension", "view",  "function", "trigger", "policy", "grants"};

template <typename T, typename Described>
concept Of = std::same_as<std::remove_const_t<T>, Described>;

}  // namespace

template <typename Visitor, Of<ObjectName> T>
void describe(Visitor& v, T& d) {
    v.need("oid", d.oid);
    v.field("schema", d.schema);
    v.need("name", d.name);
}

template <typename Visitor, Of<ColumnDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("num", d.number);
    v.need("name", d.name);
    v.need("type", d.type);
    v.field("type_oid", d.type_oid);
    v.field("base_oid", d.base_oid);
    v.field("element_oid", d.element_oid);
    if constexpr (std::same_as<Visitor, DefinitionReader>) {
        v.field("typmod", d.typmod);
    } else if (d.typmod != -1) {
        v.need("typmod", d.typmod);
    }
    v.field("not_null", d.not_null);
    v.field("collation", d.collation);
    v.field("default", d.expression);
    v.field("identity", d.identity);
    v.field("identity_options", d.identity_options);
    v.field("generated", d.generated);
    v.field("missing", d.missing);
    v.field("storage", d.storage);
    v.field("compression", d.compression);
    v.field("comment", d.comment);
    v.field("inherited", d.inherited);
}

template <typename Visitor, Of<ConstraintDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("oid", d.oid);
    v.need("name", d.name);
    v.need("type", d.type);
    v.need("definition", d.definition);
    v.field("validated", d.validated);
    v.field("inherited", d.inherited);
    v.field("comment", d.comment);
    v.field("deferrable", d.deferrable);
    v.field("deferred", d.deferred);
    if constexpr (std::same_as<Visitor, DefinitionReader>) {
        v.field("enforced", d.enforced);
    } else if (!d.enforced) {
        v.need("enforced", d.enforced);
    }
}

template <typename Visitor, Of<TableDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("schema", d.schema);
    v.need("name", d.name);
    v.need("kind", d.kind);
    v.need("persistence", d.persistence);
    v.field("owner", d.owner);
    v.need("columns", d.columns);
    v.field("constraints", d.constraints);
    v.need("replica_identity", d.replica_identity);
    v.field("identity_index", d.identity_index);
    v.field("partition_by", d.partition_by);
    v.field("bound", d.bound);
    v.field("parents", d.parents);
    v.field("ancestors", d.ancestors);
    v.field("options", d.options);
    v.field("row_security", d.row_security);
    v.field("force_row_security", d.force_row_security);
    v.field("comment", d.comment);
    v.field("bound_by", d.bound_by);
}

template <typename Visitor, Of<IndexDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("schema", d.schema);
    v.need("name", d.name);
    v.need("table", d.table);
    v.need("definition", d.definition);
    v.field("valid", d.valid);
    v.field("parent", d.parent);
    v.field("comment", d.comment);
    v.field("options", d.options);
    v.field("ancestors", d.ancestors);
}

template <typename Visitor, Of<StatisticsDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("schema", d.schema);
    v.need("name", d.name);
    v.need("table", d.table);
    v.need("definition", d.definition);
    v.field("comment", d.comment);
    v.field("ancestors", d.ancestors);
}

template <typename Visitor, Of<SequenceOwner> T>
void describe(Visitor& v, T& d) {
    v.need("oid", d.oid);
    v.need("schema", d.schema);
    v.need("table", d.table);
    v.need("column", d.column);
    v.field("num", d.number);
}

template <typename Visitor, Of<SequenceDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("schema", d.schema);
    v.need("name", d.name);
    v.field("owner", d.owner);
    v.need("type", d.type);
    v.need("start", d.start);
    v.need("increment", d.increment);
    v.need("min", d.min);
    v.need("max", d.max);
    v.need("cache", d.cache);
    v.field("cycle", d.cycle);
    v.field("owned_by", d.owned_by);
    v.field("comment", d.comment);
}

template <typename Visitor, Of<EnumLabel> T>
void describe(Visitor& v, T& d) {
    v.need("oid", d.oid);
    v.need("label", d.label);
}

template <typename Visitor, Of<AttributeDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("num", d.number);
    v.need("name", d.name);
    v.need("type", d.type);
    v.field("collation", d.collation);
}

template <typename Visitor, Of<DomainConstraint> T>
void describe(Visitor& v, T& d) {
    v.need("oid", d.oid);
    v.need("name", d.name);
    v.need("definition", d.definition);
    v.field("validated", d.validated);
}

template <typename Visitor, Of<TypeDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("schema", d.schema);
    v.need("name", d.name);
    v.field("owner", d.owner);
    v.need("kind", d.kind);
    v.field("labels", d.labels);
    v.field("attributes", d.attributes);
    v.field("base", d.base);
    v.field("collation", d.collation);
    v.field("not_null", d.not_null);
    v.field("default", d.expression);
    v.field("constraints", d.constraints);
    v.field("subtype", d.subtype);
    v.field("opclass", d.opclass);
    v.field("canonical", d.canonical);
    v.field("subtype_diff", d.subtype_diff);
    v.field("multirange", d.multirange);
    v.field("comment", d.comment);
}

template <typename Visitor, Of<TypeUse> T>
void describe(Visitor& v, T& d) {
    v.need("table", d.table);
    v.need("columns", d.columns);
    v.field("ancestors", d.ancestors);
}

template <typename Visitor, Of<SchemaDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("name", d.name);
    v.field("owner", d.owner);
    v.field("comment", d.comment);
}

template <typename Visitor, Of<ExtensionDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("name", d.name);
    v.field("schema", d.schema);
    v.field("version", d.version);
}

template <typename Visitor, Of<ViewDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("schema", d.schema);
    v.need("name", d.name);
    v.field("owner", d.owner);
    v.field("definition", d.definition);
    v.field("column_names", d.columns);
    v.field("options", d.options);
    v.field("reads", d.reads);
    v.field("comment", d.comment);
}

template <typename Visitor, Of<FunctionDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("schema", d.schema);
    v.need("name", d.name);
    v.field("arguments", d.arguments);
    v.field("owner", d.owner);
    v.need("kind", d.kind);
    v.field("language", d.language);
    v.field("definer", d.definer);
    v.field("definition", d.definition);
    v.field("comment", d.comment);
}

template <typename Visitor, Of<TriggerDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("name", d.name);
    v.need("table", d.table);
    v.field("constraint", d.constraint);
    v.field("event", d.event);
    v.field("rest", d.rest);
    v.need("enabled", d.enabled);
    v.field("comment", d.comment);
    v.field("ancestors", d.ancestors);
}

template <typename Visitor, Of<PolicyDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("name", d.name);
    v.need("table", d.table);
    v.field("restrictive", d.restrictive);
    v.need("command", d.command);
    v.field("roles", d.roles);
    v.field("using", d.expression);
    v.field("check", d.check);
    v.field("comment", d.comment);
    v.field("ancestors", d.ancestors);
}

template <typename Visitor, Of<Right> T>
void describe(Visitor& v, T& d) {
    v.field("role", d.role);
    v.need("privilege", d.privilege);
    v.field("column", d.column);
    v.field("grantable", d.grantable);
}

template <typename Visitor, Of<GrantsDefinition> T>
void describe(Visitor& v, T& d) {
    v.need("table", d.table);
    v.field("rights", d.rights);
    v.field("ancestors", d.ancestors);
}

namespace {

template <std::size_t I = 0>
Definition read_definition(const DefinitionReader& of, std::string_view class_name, simdjson::dom::element element) {
    if constexpr (I == class_names.size()) {
        throw stop_error(fmt::format("unable to read a DDL message: it is about an object of class '{}'", class_name),
                         "The replicator is of a later version: start this worker with that version.");
    } else {
        if (class_name != class_names[I]) return read_definition<I + 1>(of, class_name, element);
        Definition definition(std::in_place_index<I>);
        if (!element.is_object()) throw of.fields().bad(class_name, "not an object");
        DefinitionReader reader(element);
        describe(reader, std::get<I>(definition));
        return definition;
    }
}

DefinitionChange read_change(simdjson::dom::element element) {
    DefinitionReader reader(element);
    DefinitionChange change;
    std::string class_name;
    reader.need("class", class_name);
    reader.need("oid", change.oid);
    if (reader.has("before")) change.before = read_definition(reader, class_name, reader.at("before"));
    if (reader.has("after")) change.after = read_definition(reader, class_name, reader.at("after"));
    if (!change.before && !change.after) throw reader.fields().bad("after", "missing, as is 'before'");
    reader.field("rewritten", change.rewritten);
    reader.field("unknown", change.unknown);
    reader.field("conversion", change.conversion);
    reader.field("recopy", change.recopy);
    reader.field("root_void", change.root_void);
    reader.field("obstacle", change.obstacle);
    reader.field("own_rows", change.own_rows);
    reader.field("keeps_rows", change.keeps_rows);
    reader.field("unseen", change.unseen);
    reader.field("used_by", change.used_by);
    return change;
}

void append(JsonText& out, const std::optional<Definition>& definition) {
    if (!definition) return out.raw("null");
    out.raw('{');
    DefinitionWriter writer(out);
    std::visit([&](const auto& d) { describe(writer, d); }, *definition);
    out.raw('}');
}

void append(JsonText& out, const DefinitionChange& change) {
    out.raw('{');
    out.text("class", class_of(change));
    out.number("oid", change.oid);
    out.key("before");
    append(out, change.before);
    out.key("after");
    append(out, change.after);
    DefinitionWriter writer(out);
    writer.field("rewritten", change.rewritten);
    writer.field("unknown", change.unknown);
    writer.field("conversion", change.conversion);
    writer.field("recopy", change.recopy);
    writer.field("root_void", change.root_void);
    writer.field("obstacle", change.obstacle);
    writer.field("own_rows", change.own_rows);
    writer.field("keeps_rows", change.keeps_rows);
    writer.field("unseen", change.unseen);
    writer.field("used_by", change.used_by);
    out.raw('}');
}

void append(JsonText& out, const std::vector<DefinitionChange>& changes) {
    out.raw('[');
    for (bool first = true; const DefinitionChange& change : changes) {
        if (!std::exchange(first, false)) out.raw(',');
        append(out, change);
    }
    out.raw(']');
}

}  // namespace

std::string_view class_of(const Definition& definition) { return class_names.at(definition.index()); }

bool holds_definitions(std::string_view content) {
    simdjson::dom::parser parser;
    simdjson::dom::element element;
    std::uint64_t version = 0;
    return parser.parse(content.data(), content.size()).get(element) == simdjson::SUCCESS &&
           element["version"].get(version) == simdjson::SUCCESS && version >= 2;
}

std::string encode_objects(const DefinitionMessage& message) {
    JsonText out;
    append(out, message.objects);
    return std::string(out.view());
}

std::string encode(const DefinitionMessage& message) {
    JsonText out;
    out.raw('{');
    out.number("version", 2);
    out.text("tag", message.tag);
    out.key("objects");
    append(out, message.objects);
    out.raw('}');
    return std::string(out.view());
}

DefinitionMessage decode_definitions(std::string_view content) {
    return with_json_fields(content, "a DDL message", [](const JsonFields& fields) {
        if (fields.unsigned_number<std::uint32_t>("version") != 2)
            throw stop_error("unable to read a DDL message: it is of a later version",
                             "Start this worker with the replicator's version.");
        DefinitionMessage message;
        message.tag = fields.text("tag");
        for (const auto element : fields.array("objects")) message.objects.push_back(read_change(element));
        return message;
    });
}

}  // namespace pgsluice
