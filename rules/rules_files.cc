#include "rules/rules_files.h"

#include <string_view>

#include "rules/file/node.h"
#include "stream/text_file.h"

namespace pgsluice {

RulesFiles read_rules_files(const RulesOptions& options) {
    constexpr std::string_view between("\0", 1);
    RulesFiles files;
    for (const std::string& path : {options.rules_file, options.routing_file})
        files.text.append(path).append(between).append(read_text_file(path).value_or("")).append(between);
    if (!options.rules_file.empty())
        files.rules = rules::read_rules(rules::read_yaml_file(options.rules_file), options.rules_file);
    if (!options.routing_file.empty())
        files.routes = rules::read_routes(rules::read_yaml_file(options.routing_file), options.routing_file);
    return files;
}

bool say_the_same(const RulesFiles& a, const RulesFiles& b) {
    return a.text == b.text && a.text.find("secret_file") == std::string::npos;
}

}  // namespace pgsluice
