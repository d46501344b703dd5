// Parts of pages that tests make from what they have found, between `<!-- begin: NAME -->` and `<!-- end: NAME -->`.
#pragma once

#include <string>

namespace pgsluice::test {

// CHECKs that the page, named from the top folder, has this text there. With PGSLUICE_UPDATE_PAGES=1 in the environment
// it is written first.
void check_generated(const std::string& page, const std::string& name, const std::string& text);

// In a cell of a table.
std::string as_code(const std::string& text);

}  // namespace pgsluice::test
