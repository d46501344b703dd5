// What was given for a flag, and where. Three readers produce it (command_line.h, environment.h, config_file.h);
// invocation.h merges and applies it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/cli/flag.h"

namespace pgsluice {

// Later wins: what is said of a group, or of one of its parts, is nearer than what is said of the process.
enum class Level { fallback, config_file, environment, command_line, group, part };

struct Given {
    const Flag* flag = nullptr;
    Level level = Level::fallback;
    std::string where;                // "--port", "PGSLUICE_PORT", "'port' (pgsluice.yaml:3)"
    std::vector<std::string> values;  // one, or a list's items
    bool refers = false;              // the file holds references to the values, not themselves
    std::string unusable = {};        // why one of them cannot be followed
};

// By the flag's name. A later add() replaces a value of a lower or the same level.
class GivenSettings {
   public:
    void add(Given given) {
        Given& slot = by_name_[given.flag->name];
        if (slot.flag == nullptr || given.level >= slot.level) slot = std::move(given);
    }
    void add(const GivenSettings& other) {
        for (const auto& [name, given] : other.by_name_) add(given);
    }
    // Null when it was not given.
    [[nodiscard]] const Given* find(std::string_view name) const {
        const auto found = by_name_.find(name);
        return found == by_name_.end() ? nullptr : &found->second;
    }
    void remove(std::string_view name) { by_name_.erase(name); }
    // The same values, as if they were given elsewhere.
    [[nodiscard]] GivenSettings at(Level level) const {
        GivenSettings moved = *this;
        for (auto& [name, given] : moved.by_name_) given.level = level;
        return moved;
    }

   private:
    std::map<std::string_view, Given> by_name_;
};

}  // namespace pgsluice
