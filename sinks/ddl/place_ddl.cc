#include "sinks/ddl/place_ddl.h"

#include <fmt/format.h>

#include "sinks/ddl/object_commands.h"
#include "sql/quote.h"

namespace pgsluice {

using sql::quote_identifier;

namespace {

std::string quoted(const SequenceDefinition& sequence) { return sql::quote_qualified(sequence.schema, sequence.name); }

std::string parameters(const SequenceDefinition& sequence) {
    return fmt::format("AS {} INCREMENT BY {} MINVALUE {} MAXVALUE {} START WITH {} CACHE {} {}CYCLE", sequence.type,
                       sequence.increment, sequence.min, sequence.max, sequence.start, sequence.cache,
                       sequence.cycle ? "" : "NO ");
}

std::string owned_by(const SequenceDefinition& sequence) {
    if (!sequence.owned_by) return "NONE";
    return fmt::format("{}.{}", sql::quote_qualified(sequence.owned_by->schema, sequence.owned_by->table),
                       quote_identifier(sequence.owned_by->column));
}

// One object's commands.
class Commands {
   public:
    Commands(DdlPhases& out, std::string object) : out_(out), object_(std::move(object)) {}

    DerivedStatement make(DdlKind kind, std::string text) const {
        DerivedStatement statement{kind, std::move(text)};
        statement.object = object_;
        return statement;
    }
    void add(DdlPhase phase, DdlKind kind, std::string text) { out_.add(phase, make(kind, std::move(text))); }
    void drop(DdlPhase phase, DdlKind kind, std::string text) {
        auto statement = make(kind, std::move(text));
        statement.drops = true;
        out_.add(phase, std::move(statement));
    }
    // `conditional`: it is no fault that the target has it.
    void create(DdlPhase phase, DdlKind kind, std::string text, std::string absent, bool conditional) {
        auto statement = make(kind, std::move(text));
        statement.creates = true;
        statement.absent = std::move(absent);
        if (conditional) statement.condition = statement.absent;
        out_.add(phase, std::move(statement));
    }
    void owner(DdlPhase phase, const std::string& of, const std::string& role) {
        out_.add(phase, owner_statement(of, role, object_));
    }
    void comment(const std::string& on, const std::string& text) {
        add(DdlPhase::comments, DdlKind::comment, fmt::format("COMMENT ON {} IS {}", on, comment_text(text)));
    }

   private:
    DdlPhases& out_;
    std::string object_;
};

DerivedStatement own(const Commands& commands, const SequenceDefinition& sequence) {
    auto statement = commands.make(DdlKind::alter_sequence,
                                   fmt::format("ALTER SEQUENCE {} OWNED BY {}", quoted(sequence), owned_by(sequence)));
    if (const auto& column = sequence.owned_by)
        statement.given = {"SEQUENCE " + quoted(sequence), {column->schema, column->table}};
    return statement;
}

}  // namespace

void derive_schema(const SchemaDefinition* before, const SchemaDefinition* after, DdlPhases& out) {
    Commands commands(out, fmt::format("schema '{}'", (before == nullptr ? after : before)->name));
    if (after == nullptr)
        return commands.drop(DdlPhase::drop_schemas, DdlKind::drop_schema,
                             "DROP SCHEMA " + quote_identifier(before->name));
    const std::string name = quote_identifier(after->name);
    if (before == nullptr)
        commands.create(DdlPhase::schemas, DdlKind::create_schema, "CREATE SCHEMA " + name,
                        fmt::format("pg_catalog.to_regnamespace({}) IS NULL", sql::quote_literal(name)), true);
    else if (before->name != after->name)
        commands.add(DdlPhase::schemas, DdlKind::alter_schema,
                     fmt::format("ALTER SCHEMA {} RENAME TO {}", quote_identifier(before->name), name));
    // At once: what its owner may do in it, later commands may need.
    if (!after->owner.empty() && (before == nullptr || before->owner != after->owner))
        commands.owner(DdlPhase::schemas, "SCHEMA " + name, after->owner);
    if ((before == nullptr ? "" : before->comment) != after->comment)
        commands.comment("SCHEMA " + name, after->comment);
}

void derive_extension(const ExtensionDefinition* before, const ExtensionDefinition* after, DdlPhases& out) {
    Commands commands(out, fmt::format("extension '{}'", (before == nullptr ? after : before)->name));
    if (after == nullptr)
        return commands.drop(DdlPhase::drop_types, DdlKind::drop_extension,
                             "DROP EXTENSION " + quote_identifier(before->name));
    const std::string name = quote_identifier(after->name);
    if (before == nullptr)
        return commands.create(DdlPhase::extensions, DdlKind::create_extension,
                               fmt::format("CREATE EXTENSION {}{}", name,
                                           after->schema.empty() ? "" : " SCHEMA " + quote_identifier(after->schema)),
                               fmt::format("NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = {})",
                                           sql::quote_literal(after->name)),
                               true);
    if (before->schema != after->schema)
        commands.add(DdlPhase::extensions, DdlKind::alter_extension,
                     fmt::format("ALTER EXTENSION {} SET SCHEMA {}", name, quote_identifier(after->schema)));
    if (before->version != after->version)
        commands.add(DdlPhase::extensions, DdlKind::alter_extension,
                     fmt::format("ALTER EXTENSION {} UPDATE TO {}", name, sql::quote_literal(after->version)));
}

// One that is owned by a column goes with it; then there is nothing left to drop.
void derive_sequence(const SequenceDefinition* before, const SequenceDefinition* after, DdlPhases& out) {
    const SequenceDefinition& any = before == nullptr ? *after : *before;
    Commands commands(out, fmt::format("sequence '{}.{}'", any.schema, any.name));
    if (after == nullptr)
        return commands.drop(DdlPhase::drop_sequences, DdlKind::drop_sequence,
                             fmt::format("DROP SEQUENCE {}{}", before->owned_by ? "IF EXISTS " : "", quoted(*before)));
    const auto alter = [&](const SequenceDefinition& now, const std::string& what) {
        commands.add(DdlPhase::sequences, DdlKind::alter_sequence,
                     fmt::format("ALTER SEQUENCE {} {}", quoted(now), what));
    };
    if (before == nullptr) {
        commands.create(DdlPhase::sequences, DdlKind::create_sequence,
                        fmt::format("CREATE SEQUENCE {} {}", quoted(*after), parameters(*after)),
                        fmt::format("pg_catalog.to_regclass({}) IS NULL", sql::quote_literal(quoted(*after))), false);
    } else {
        SequenceDefinition now = *before;
        // The schema of one that is owned is its table's.
        if (now.schema != after->schema && !before->owned_by)
            alter(now, "SET SCHEMA " + quote_identifier(after->schema));
        now.schema = after->schema;
        if (now.name != after->name) alter(now, "RENAME TO " + quote_identifier(after->name));
        if (parameters(*before) != parameters(*after)) alter(*after, parameters(*after));
    }
    const bool owned_before = before != nullptr && before->owned_by;
    if (owned_before != after->owned_by.has_value() ||
        (owned_before &&
         (before->owned_by->oid != after->owned_by->oid || before->owned_by->number != after->owned_by->number)))
        out.add(DdlPhase::table_settings, own(commands, *after));
    // The owner of one that is owned by a column is its table's.
    if (!after->owned_by && !after->owner.empty() && (before == nullptr || before->owner != after->owner))
        commands.owner(DdlPhase::owners, "SEQUENCE " + quoted(*after), after->owner);
    if ((before == nullptr ? "" : before->comment) != after->comment)
        commands.comment("SEQUENCE " + quoted(*after), after->comment);
}

}  // namespace pgsluice
