#include "sinks/nats/subject_template.h"

#include <algorithm>
#include <array>

#include "sql/error.h"

namespace pgsluice {

namespace {

bool is_special(char c) {
    return c == '.' || c == '*' || c == '>' || static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
}

void append_token(std::string& out, std::string_view name) {
    if (name.empty()) out += '_';
    for (const char c : name) out += is_special(c) ? '_' : c;
}

bool is_subject(std::string_view text) {
    char before = '.';
    for (const char c : text) {
        if (c == '.' ? before == '.' : is_special(c)) return false;
        before = c;
    }
    return before != '.';
}

}  // namespace

SubjectTemplate::SubjectTemplate(std::string_view text, std::string_view group, std::string_view inbox_prefix)
    : inbox_prefix_(inbox_prefix) {
    const auto refuse = [&](const std::string& reason) {
        throw usage_error("unable to use --nats-subject '" + std::string(text) + "': " + reason,
                          "Use a template such as 'cdc.{schema}.{table}.{op}'.");
    };
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t open = rest.find('{');
        if (open > 0) parts_.push_back({Piece::text, std::string(rest.substr(0, open))});
        if (open == std::string_view::npos) break;
        const std::size_t close = rest.find('}', open);
        if (close == std::string_view::npos) refuse("a '{' is not closed");
        const std::string_view name = rest.substr(open + 1, close - open - 1);
        if (name == "group") {
            parts_.push_back({Piece::text, std::string(group)});
        } else if (name == "schema" || name == "table" || name == "op") {
            parts_.push_back({name == "schema" ? Piece::schema : name == "table" ? Piece::table : Piece::op, {}});
        } else {
            refuse("it knows {group}, {schema}, {table} and {op}");
        }
        rest.remove_prefix(close + 1);
    }
    const std::string example = fill("x", "x", "x");
    if (!is_subject(example)) refuse("it makes no valid subject");
    if (is_reserved(example)) refuse("such subjects belong to pgsluice or NATS itself");
}

// Streams of groups, and where NATS answers (clients, imported services, between clusters), or keeps what is its own.
bool SubjectTemplate::is_reserved(std::string_view subject) const {
    constexpr std::array<std::string_view, 5> taken{"pgsluice", "pgsluice-dlq", "_INBOX", "_R_", "_GR_"};
    const std::string_view first = subject.substr(0, subject.find('.'));
    if (first.starts_with('$') || std::ranges::find(taken, first) != taken.end()) return true;
    if (inbox_prefix_.empty() || !subject.starts_with(inbox_prefix_)) return false;
    return subject.size() == inbox_prefix_.size() || subject[inbox_prefix_.size()] == '.';
}

std::string SubjectTemplate::fill(std::string_view schema, std::string_view table, std::string_view op) const {
    std::string out;
    for (const Part& part : parts_) {
        switch (part.piece) {
            case Piece::text:
                out += part.text;
                break;
            case Piece::schema:
                append_token(out, schema);
                break;
            case Piece::table:
                append_token(out, table);
                break;
            case Piece::op:
                append_token(out, op);
                break;
        }
    }
    if (is_reserved(out))
        throw stop_error("unable to publish changes of table '" + std::string(schema) + "." + std::string(table) +
                             "': they would be on '" + out + "', and such subjects belong to pgsluice or NATS itself",
                         "Begin --nats-subject with a word, such as 'cdc.{schema}.{table}.{op}', or give the table "
                         "another name there with a route (--routing-config).");
    return out;
}

}  // namespace pgsluice
