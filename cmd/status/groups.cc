#include "cmd/status/groups.h"

#include <utility>

#include "sql/error.h"
#include "stream/names.h"

namespace pgsluice {

namespace {

bool is_group(const std::string& name) {
    try {
        return names_for(name).group == name;
    } catch (const Error&) {
        return false;  // another program's stream
    }
}

}  // namespace

std::vector<std::string> groups_in(const StreamCatalog& catalog) {
    std::vector<std::string> found;
    for (std::string& name : catalog.groups())
        if (is_group(name)) found.push_back(std::move(name));
    return found;
}

}  // namespace pgsluice
