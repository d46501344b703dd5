// What names and types say: the one table of names, for `check rules --suggest`, `--coverage` and a worker's warning of
// a new column.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/personal/kind.h"
#include "stream/change.h"

namespace pgsluice::rules {

// "BillingZip_code" is billing, zip, code.
std::vector<std::string> name_words(std::string_view name);

// Of a column's name, in one of English, German, French and Spanish, and of its type: an is_active is none, nor is an
// email_count. `about` are words of what it is in: a `name` is a person's in a table of users only.
PersonalKind kind_by_name(const std::vector<std::string>& name, const std::vector<std::string>& about);
PersonalKind kind_by_name(const Relation& relation, const Column& column);

// Of the first phrase in a text that names a kind; a comment on a column. `labelled` where it only says that it is
// personal.
PersonalKind kind_by_comment(std::string_view comment);

}  // namespace pgsluice::rules
