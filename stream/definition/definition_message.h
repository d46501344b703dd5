// What a DDL command of the source made of the objects it touched (FORMAT.md, "DDL"): the content of a message with
// prefix ddl_message_prefix whose "version" is 2. Pure data; sinks/ddl derives the commands for a target from it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "stream/definition/code_definition.h"
#include "stream/definition/index_definition.h"
#include "stream/definition/schema_definition.h"
#include "stream/definition/sequence_definition.h"
#include "stream/definition/table_definition.h"
#include "stream/definition/type_definition.h"
#include "stream/definition/type_use.h"

namespace pgsluice {

using Definition = std::variant<TableDefinition, IndexDefinition, SequenceDefinition, TypeDefinition, SchemaDefinition,
                                StatisticsDefinition, ExtensionDefinition, ViewDefinition, FunctionDefinition,
                                TriggerDefinition, PolicyDefinition, GrantsDefinition>;

// One object before and after the command. At least one of the two is there, and both are of one class. Equal ones: the
// object did not change, and what is new uses it.
struct DefinitionChange {
    Oid oid = 0;
    std::optional<Definition> before{};  // nothing: it is new
    std::optional<Definition> after{};   // nothing: it was dropped
    int rewritten = 0;                   // bits of pg_event_trigger_table_rewrite_reason()
    bool unknown = false;                // it was there before, but its definition is not known
    bool recopy = false;                 // its rows are copied again: they are to be removed here
    bool root_void = false;  // of a partition: so are the rows of the tables above it, when they are in the way
    // Why a target cannot be given this definition; empty: it can. Set by the rules, never by the source.
    std::string obstacle{};
    // Of a table that others fill, too: name and value of the columns that tell its rows from theirs. Set by the rules.
    std::vector<std::string> own_rows{};
    bool keeps_rows = false;   // the target removes none. Set by the rules.
    bool unseen = false;       // it has an obstacle, and nothing of it shows on the target. Set by the rules.
    std::string conversion{};  // "types": no USING has computed values while it was rewritten; else not known
    // Of a type that is there afterwards: the group's tables that use it; nothing when the source does not say.
    std::optional<std::vector<TypeUse>> used_by{};

    bool operator==(const DefinitionChange&) const = default;
};

struct DefinitionMessage {
    std::string tag{};  // ALTER TABLE
    std::vector<DefinitionChange> objects{};

    bool operator==(const DefinitionMessage&) const = default;
};

// "table", "index", ... as in the message.
[[nodiscard]] std::string_view class_of(const Definition& definition);
[[nodiscard]] inline std::string_view class_of(const DefinitionChange& change) {
    return class_of(change.after ? *change.after : *change.before);
}

// Whether a DDL message's content is of this version: an older build's holds the command's text.
[[nodiscard]] bool holds_definitions(std::string_view content);

std::string encode(const DefinitionMessage& message);
// The message's "objects" alone: an array.
std::string encode_objects(const DefinitionMessage& message);
// A stop Error that names the field when it is malformed.
DefinitionMessage decode_definitions(std::string_view content);

}  // namespace pgsluice
