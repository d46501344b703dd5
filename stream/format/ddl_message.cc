#include "stream/format/ddl_message.h"

#include <utility>

#include "stream/format/json_fields.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

namespace {

void append_object(JsonText& out, const DdlObject& object) {
    out.raw('{');
    out.text("type", object.type);
    out.text("identity", object.identity);
    out.text("schema", object.schema);
    out.text("table", object.table);
    if (object.ancestors) {
        out.raw(",\"ancestors\":[");
        for (bool first = true; const QualifiedName& above : *object.ancestors) {
            out.raw(std::exchange(first, false) ? "{" : ",{");
            out.text("schema", above.schema);
            out.text("table", above.table);
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
    out.text("event", message.event);
    out.text("tag", message.tag);
    out.text("command", message.command);
    out.text("search_path", message.search_path);
    out.raw(",\"objects\":[");
    for (bool first = true; const DdlObject& object : message.objects) {
        if (!std::exchange(first, false)) out.raw(',');
        append_object(out, object);
    }
    out.raw(']');
    if (!message.obstacle.empty()) out.text("obstacle", message.obstacle);
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
