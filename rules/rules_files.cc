#include "rules/rules_files.h"

#include <string_view>

#include "rules/file/node.h"
#include "rules/meaning.h"

namespace pgsluice {

RulesFiles read_rules_files(const RulesOptions& options) {
    RulesFiles files;
    std::string text;
    const auto read = [&](const std::string& path) {
        constexpr std::string_view between("\0", 1);
        text = rules::read_yaml_text(path);
        files.text.append(path).append(between).append(text).append(between);
        return rules::read_yaml(text, path);
    };
    if (!options.rules_file.empty()) {
        files.rules = rules::read_rules(read(options.rules_file), options.rules_file);
        files.rules_text = text;
    }
    if (!options.routing_file.empty())
        files.routes = rules::read_routes(read(options.routing_file), options.routing_file);
    return files;
}

bool say_the_same(const RulesFiles& a, const RulesFiles& b) {
    return a.text == b.text && a.text.find("secret_file") == std::string::npos;
}

std::string rules_digest(const RulesFiles& files) { return rules::meaning_digest(files.rules_text); }

}  // namespace pgsluice
