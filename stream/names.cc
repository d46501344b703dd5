#include "stream/names.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/error.h"

namespace pgsluice {

namespace {

constexpr std::size_t longest_name = 40;

bool allowed(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

std::string mapped(std::string_view what, std::string_view name) {
    std::string result(name);
    std::replace(result.begin(), result.end(), '-', '_');
    if (result.empty() || result.size() > longest_name || !std::all_of(result.begin(), result.end(), allowed)) {
        throw usage_error(fmt::format("unable to use {} '{}': not 1 to {} of a-z, 0-9, '_' and '-'", what,
                                      name.substr(0, 2 * longest_name), longest_name),
                          "Choose a name of at most 40 lower-case letters, digits and '_'; '-' counts as '_'.");
    }
    return result;
}

}  // namespace

Names names_for(std::string_view group) {
    Names names;
    names.group = mapped("group", group);
    names.stream = "pgsluice_" + names.group;
    names.snapshot_subject = "pgsluice." + names.group + ".snapshot";
    names.changes_subject = "pgsluice." + names.group + ".changes";
    names.dead_letters = "pgsluice-dlq_" + names.group;
    names.dead_letter_subject = "pgsluice-dlq." + names.group;
    names.bucket = names.stream;
    names.slot = names.stream;
    names.publication = names.stream;
    return names;
}

std::string worker_name(std::string_view name) { return mapped("worker name", name); }

}  // namespace pgsluice
