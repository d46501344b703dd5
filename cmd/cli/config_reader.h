// Reads the mappings of a configuration file. Only for the readers of this folder: it shows the YAML library.
#pragma once

#include <yaml-cpp/yaml.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/cli/environment.h"
#include "cmd/cli/given.h"

namespace pgsluice {

class ConfigReader {
   public:
    // `path` is for messages.
    ConfigReader(std::string path, const Environment& environment)
        : path_(std::move(path)), environment_(environment) {}

    [[nodiscard]] YAML::Node parse(const std::string& text) const;
    // The flags of a mapping or of nothing; `others` are keys that name no flags and are left to the caller.
    [[nodiscard]] GivenSettings flags_of(const YAML::Node& mapping, Level level,
                                         std::span<const std::string_view> others = {}) const;
    // "pgsluice.yaml:3".
    [[nodiscard]] std::string place(const YAML::Node& node) const { return place(node.Mark()); }
    [[noreturn]] void refuse(const YAML::Node& node, const std::string& reason, const std::string& hint = {}) const;

   private:
    [[nodiscard]] Given given_in_file(const Flag& flag, const YAML::Node& node, Level level,
                                      std::vector<std::string> values) const;
    [[nodiscard]] std::string place(const YAML::Mark& mark) const;
    [[nodiscard]] const Flag& flag_for(const YAML::Node& key) const;
    [[nodiscard]] std::vector<std::string> values_of(const Flag& flag, const YAML::Node& node) const;

    const std::string path_;
    const Environment& environment_;
};

}  // namespace pgsluice
