#pragma once

#include <string>

namespace pgsluice::test {

// Of tables keyed (id, pad), keyless and whole (n, with a note), in whatever state a copy is: a row that came twice, or
// not, shows. `also`: what the update of keyed sets, too.
inline std::string row_changes(int number, const std::string& also = "") {
    const std::string n = std::to_string(number);
    return "UPDATE keyed SET pad = 'changed " + n + "'" + also + " WHERE id % 100 = " + n +
           "; DELETE FROM keyed WHERE id = " + n + "; UPDATE keyed SET id = id + 100000 WHERE id = 50 + " + n +
           "; INSERT INTO keyless VALUES (-" + n + ", 'made'), (-" + n + ", 'made'); " +
           "UPDATE whole SET note = 'other' WHERE ctid = (SELECT ctid FROM whole WHERE n = " + n +
           " LIMIT 1); DELETE FROM whole WHERE ctid = (SELECT ctid FROM whole WHERE n = " + n + " LIMIT 1)";
}

}  // namespace pgsluice::test
