#include "stream/format/ddl_message.h"

#include <utility>

#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

namespace {

void append_field(JsonText& out, std::string_view name, std::string_view value) {
    out.raw(out.size() > 0 && out.view().back() == '{' ? "\"" : ",\"");
    out.raw(name);
    out.raw("\":");
    out.text(value);
}

void append_object(JsonText& out, const DdlObject& object) {
    out.raw('{');
    append_field(out, "type", object.type);
    append_field(out, "identity", object.identity);
    append_field(out, "schema", object.schema);
    append_field(out, "table", object.table);
    if (object.ancestors) {
        out.raw(",\"ancestors\":[");
        for (bool first = true; const QualifiedName& above : *object.ancestors) {
            out.raw(std::exchange(first, false) ? "{" : ",{");
            append_field(out, "schema", above.schema);
            append_field(out, "table", above.table);
            out.raw('}');
        }
        out.raw(']');
    }
    out.raw('}');
}

DdlObject read_object(const JsonFields& fields) {
    DdlObject object{fields.text("type"), fields.text("identity"), fields.text("schema"), fields.text("table")};
    if (!fields.has("ancestors")) return object;
    auto& ancestors = object.ancestors.emplace();
    for (const auto element : fields.array("ancestors")) {
        const JsonFields above(element, "a DDL message's ancestor");
        ancestors.push_back({above.text("schema"), above.text("table")});
    }
    return object;
}

}  // namespace

std::string encode(const DdlMessage& message) {
    JsonText out;
    out.raw('{');
    append_field(out, "event", message.event);
    append_field(out, "tag", message.tag);
    append_field(out, "command", message.command);
    append_field(out, "search_path", message.search_path);
    out.raw(",\"objects\":[");
    for (bool first = true; const DdlObject& object : message.objects) {
        if (!std::exchange(first, false)) out.raw(',');
        append_object(out, object);
    }
    out.raw(']');
    if (!message.obstacle.empty()) append_field(out, "obstacle", message.obstacle);
    out.raw('}');
    return std::string(out.view());
}

DdlMessage decode_ddl(std::string_view content) {
    return with_json_fields(content, "a DDL message", [](const JsonFields& fields) {
        DdlMessage message;
        message.event = fields.text("event");
        message.tag = fields.text("tag");
        message.command = fields.text("command");
        message.search_path = fields.text("search_path");
        for (const auto object : fields.array("objects"))
            message.objects.push_back(read_object(JsonFields(object, "a DDL message's object")));
        if (fields.has("obstacle")) message.obstacle = fields.text("obstacle");
        return message;
    });
}

}  // namespace pgsluice
