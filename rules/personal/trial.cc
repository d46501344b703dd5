#include "rules/personal/trial.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rules/personal/proposal.h"
#include "rules/rule_compiler.h"
#include "sql/error.h"

namespace pgsluice::rules {

// What is made with it is shown to no one.
Trial::Trial() : secret_(memfd_create("pgsluice trial", MFD_CLOEXEC)) {
    constexpr std::string_view text = "a secret for trials only";
    if (secret_ < 0 || write(secret_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        throw stop_error("unable to make a file in memory");
}

Trial::~Trial() { close(secret_); }

bool Trial::takes(const RelationPtr& relation, const std::string& rule) const {
    const std::string name = "the suggestion";
    const std::string text = fmt::format("secret_file: /proc/self/fd/{}\ntables:\n  {}:\n    - {}\n", secret_,
                                         yaml_table(relation->schema, relation->table), rule);
    try {
        const RulesFile file = read_rules(read_yaml(text, name), name);
        static_cast<void>(compile_rules({relation, &file, file.tables.data()}));
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace pgsluice::rules
