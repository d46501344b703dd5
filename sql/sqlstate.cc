#include "sql/sqlstate.h"

#include <algorithm>
#include <array>
#include <utility>

namespace pgsluice::sql {

namespace {

struct Known {
    std::string_view sqlstate;
    Action action;
    std::string_view hint;
};

// Codes worth more than "stop". Class 08 is handled by its prefix.
constexpr std::array<Known, 23> known_codes{{
    {"25006", Action::retry,
     "The database must be a primary that may be written to: connect to the primary, or set "
     "default_transaction_read_only to off."},
    {"25P04", Action::retry, "Set transaction_timeout to 0 for this role."},
    {"25P03", Action::retry, "Set idle_in_transaction_session_timeout to 0 for this role."},
    {"28000", Action::stop,
     "Correct the user's name, let the role log in (ALTER ROLE {} LOGIN), or add a line for it to the server's "
     "pg_hba.conf."},
    {"28P01", Action::stop,
     "Give the role's password (--password, --target-password, PGPASSWORD or the password file), or correct the "
     "user's name."},
    {"3D000", Action::stop, "Create the database or correct its name."},
    {"40001", Action::retry, ""},
    {"40P01", Action::retry, ""},
    {"22P05", Action::stop,
     "The database's encoding lacks the character: use a target database made with ENCODING 'UTF8', or change the "
     "value with a rule."},
    {"42501", Action::stop,
     "Give the role what the message names: a privilege (GRANT), or membership in the role that owns the object."},
    {"42P01", Action::stop, "Create what the message names, or correct its name and schema."},
    {"53100", Action::stop, "Free disk space on the server."},
    {"53300", Action::retry, "Raise max_connections (max_wal_senders for replication) or close other connections."},
    {"53400", Action::stop, "Raise the limit that the message names (max_replication_slots, max_wal_senders)."},
    {"55006", Action::retry, "Another session is using it; end that session first."},
    {"55P03", Action::retry, ""},
    {"57014", Action::stop, "Raise statement_timeout for this role, unless the statement was cancelled on purpose."},
    {"57P01", Action::retry, ""},
    {"57P02", Action::retry, ""},
    {"57P03", Action::retry, "The server is starting, stopping or recovering; wait until it accepts connections."},
    {"57P04", Action::stop, "Create the database again or correct its name."},
    {"57P05", Action::retry, "Set idle_session_timeout to 0 for this role."},
    {"58P01", Action::stop, ""},
}};

const Known* find(std::string_view sqlstate) {
    const auto* found = std::find_if(known_codes.begin(), known_codes.end(),
                                     [&](const Known& known) { return known.sqlstate == sqlstate; });
    return found == known_codes.end() ? nullptr : found;
}

// What a role may lack, by the server's English words. Other languages get the hint for all of them.
struct Lack {
    std::string_view says;
    std::string_view hint;
};
constexpr std::array<Lack, 5> lacks{{
    {"must be owner of", "Make the role a member of the object's owner (GRANT owner TO {}), or the owner itself."},
    {"row-level security", "Give the role BYPASSRLS (ALTER ROLE {} BYPASSRLS), or let it own the table."},
    {"must be superuser", "Use a superuser for this."},
    {"permission denied to create event trigger", "Use a superuser for this."},
    {"permission denied for", "Grant the role the privilege on the object that the message names."},
}};

// The name in the first line of the server's CONTEXT "PL/pgSQL function public.f() line 3 at ...". The words are
// translated, except for the language's name, and a name never is.
std::string_view function_in(std::string_view context) {
    const auto line = context.substr(0, context.find('\n'));
    for (const std::string_view language : {"PL/pgSQL ", "SQL "}) {
        if (!line.starts_with(language)) continue;
        const auto end = line.find(')');
        const auto begin = line.rfind(' ', line.find('('));
        if (end != std::string_view::npos && begin != std::string_view::npos) {
            return line.substr(begin + 1, end - begin);
        }
    }
    return {};
}

std::string with_role(std::string_view hint, std::string_view role) {
    const auto place = hint.find("{}");
    if (place == std::string_view::npos) return std::string(hint);
    return std::string(hint.substr(0, place)) + std::string(role) + std::string(hint.substr(place + 2));
}

bool is_unknown_name(std::string_view sqlstate) {
    return sqlstate == "42P01" || sqlstate == "42883" || sqlstate == "42704" || sqlstate == "3F000";
}

bool is_code_character(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); }

// The code in front of `text`, if it starts with "28P01: ".
std::string_view leading_code(std::string_view text) {
    if (text.size() < 7 || text.substr(5, 2) != ": ") return {};
    const auto code = text.substr(0, 5);
    return std::all_of(code.begin(), code.end(), is_code_character) ? code : std::string_view{};
}

constexpr std::string_view after_severity = ":  ";

}  // namespace

Action action_for(std::string_view sqlstate) {
    if (sqlstate.empty() || sqlstate.starts_with("08")) return Action::retry;
    const Known* known = find(sqlstate);
    return known != nullptr ? known->action : Action::stop;
}

bool is_internal_error(std::string_view sqlstate) { return sqlstate.starts_with("XX"); }

bool is_catalog_race(std::string_view sqlstate, std::string_view message) {
    return sqlstate == "XX000" && (message.starts_with("cache lookup failed for ") ||
                                   message.starts_with("could not open relation with OID ") ||
                                   message.starts_with("could not find tuple for "));
}

Action action_for_decoding(std::string_view sqlstate) {
    return is_internal_error(sqlstate) ? Action::retry : action_for(sqlstate);
}

std::string hint_for(std::string_view sqlstate, std::string_view role) {
    const Known* known = find(sqlstate);
    return known != nullptr ? with_role(known->hint, role) : std::string();
}

std::string hint_for(std::string_view sqlstate, std::string_view message, std::string_view context,
                     std::string_view role) {
    if (is_unknown_name(sqlstate) && !context.empty()) {
        const auto function = function_in(context);
        return "A function on the server names it without its schema, and pgsluice's sessions have an empty "
               "search_path. Run ALTER FUNCTION " +
               (function.empty() ? std::string("name()") : std::string(function)) +
               " SET search_path = the schemas it needs.";
    }
    if (sqlstate == "42501") {
        for (const Lack& lack : lacks) {
            if (message.find(lack.says) != std::string_view::npos) return with_role(lack.hint, role);
        }
    }
    return hint_for(sqlstate, role);
}

std::string without_values(std::string_view sqlstate, std::string_view message) {
    if (sqlstate == "22P05" || sqlstate == "22021") {  // the bytes of one character
        const auto byte = message.find("0x");
        if (byte == std::string_view::npos) return std::string(message);
        const auto end = message.find_first_not_of("0123456789abcdefx ", byte);
        return std::string(message.substr(0, byte)) + "... " +
               std::string(end == std::string_view::npos ? "" : message.substr(end));
    }
    const auto open = message.find('"');
    const auto close = message.rfind('"');
    if (!sqlstate.starts_with("22") || open == close) return std::string(message);
    return std::string(message.substr(0, open + 1)) + "..." + std::string(message.substr(close));
}

bool refuses_row(std::string_view sqlstate) {
    // Data exception, integrity constraint violation, WITH CHECK OPTION violation; raise_exception; a row or a key too
    // large for a page.
    return sqlstate.starts_with("22") || sqlstate.starts_with("23") || sqlstate.starts_with("44") ||
           sqlstate == "P0001" || sqlstate == "54000";
}

std::string sqlstate_in(std::string_view verbose_text) {
    std::string_view last;
    for (auto at = verbose_text.find(after_severity); at != std::string_view::npos;
         at = verbose_text.find(after_severity, at + 1)) {
        const auto code = leading_code(verbose_text.substr(at + after_severity.size()));
        if (!code.empty()) last = code;
    }
    return std::string(last);
}

std::string one_line(std::string_view verbose_text) {
    std::string out;
    while (!verbose_text.empty()) {
        const auto end = std::min(verbose_text.find('\n'), verbose_text.size());
        std::string line(verbose_text.substr(0, end));
        verbose_text.remove_prefix(std::min(end + 1, verbose_text.size()));
        // "LOCATION:  auth_failed, auth.c:332" is for server developers; indented lines are guesses at the cause.
        if (line.empty() || line.starts_with("LOCATION:") || line.starts_with('\t')) continue;
        const auto severity = line.find(after_severity);
        if (severity != std::string::npos) {
            const auto rest = severity + after_severity.size();
            if (!leading_code(std::string_view(line).substr(rest)).empty()) line.erase(severity + 2, 8);
        }
        const auto text = line.find_first_not_of(" \t");
        if (text == std::string::npos) continue;
        out += (out.empty() ? "" : "; ") + line.substr(text);
    }
    return out;
}

}  // namespace pgsluice::sql
