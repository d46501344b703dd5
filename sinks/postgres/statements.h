// The SQL that writes to a target table. Values are always parameters; what is in the text is names from the catalog.
#pragma once

#include <string>
#include <vector>

#include "sinks/postgres/binary_form.h"
#include "sinks/postgres/target_mapping.h"

namespace pgsluice {

// Columns in the order of a statement's parameters.
struct Statement {
    std::string text;
    std::vector<int> values;  // columns of the relation: what is written (for `always_columns`: what must be there)
    std::vector<int> keys;    // then what finds the row
    bool counts = false;      // answers with one number
    std::vector<BinaryForm> forms{};  // of each parameter's elements, where these are arrays; none: all texts
};

enum class Conflict { fail, update, ignore };  // what an insert does with a row whose key exists

// One row; every parameter is a text. With Conflict::update the answer is one number: how many rows were there already.
Statement insert_one(const TargetMapping& mapping, Conflict conflict);
// `sent` are the columns whose new value is known. Where none can be SET it only looks for the row. With `checked`,
// finding no row is an error (division by zero), so that whatever follows in a pipeline is skipped; without, the number
// of rows touched tells.
Statement update_one(const TargetMapping& mapping, const ColumnSet& sent, bool key_changes, bool checked);
Statement delete_one(const TargetMapping& mapping);
// Touches the row as delete_one would, and only looks.
Statement find_one(const TargetMapping& mapping);
// Deletes the row and inserts it again: for identity columns that cannot be SET. Columns not in `sent`, and those only
// the target has, keep their values. Touches no row where there is none.
Statement replace_one(const TargetMapping& mapping, const ColumnSet& sent);

// What many rows come as: arrays of the columns' types where these have a BinaryForm, which the target reads faster, or
// of texts, which can be of any spelling.
enum class Arrays : std::uint8_t { texts, binary };

// Many rows, as above; every parameter is an array, one element per row. Need Match::unique (an insert does not).
Statement insert_many(const TargetMapping& mapping, Conflict conflict, Arrays arrays);
// With `checked` it has one more parameter at the end, the number of rows as text, and finding fewer is an error as in
// update_one. Without, it costs the server a tenth less.
Statement update_many(const TargetMapping& mapping, const ColumnSet& sent, bool checked, Arrays arrays);
Statement delete_many(const TargetMapping& mapping, Arrays arrays);

// COPY ... FROM STDIN in text format, of the columns the target does not compute itself.
std::string copy_rows(const TargetMapping& mapping, const std::string& into);
// A temporary table rows are copied into first where they may meet others, and what moves them on. Needs an arbiter.
std::string create_staging(const TargetMapping& mapping, const std::string& staging);
std::string merge_staging(const TargetMapping& mapping, const std::string& staging);
// One that makes values of the texts only where they are moved on. Conflict::update needs an arbiter.
std::string create_text_staging(const TargetMapping& mapping, const std::string& staging);
// The same as a table that stays.
std::string text_copy(const TargetMapping& mapping, const std::string& name);
std::string merge_text_staging(const TargetMapping& mapping, const std::string& staging, Conflict conflict);

}  // namespace pgsluice
