// Reads the entries of one map of a file by name and refuses unknown ones.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/file/node.h"
#include "rules/place.h"

namespace pgsluice::rules {

class Fields {
   public:
    // `map` must outlive this and be a map; usage Error when it is something else (`what` names it).
    Fields(const Node& map, Place place, std::string_view what);

    // Null when there is no such entry.
    const Node* take(std::string_view key);
    // A scalar; nothing when there is no such entry. usage Error when it is not a scalar.
    std::optional<std::string> text(std::string_view key);
    std::string required_text(std::string_view key);
    // YAML's true/false and yes/no.
    bool flag(std::string_view key, bool otherwise);
    // A whole number of at least `least`.
    std::optional<int> number(std::string_view key, int least);
    // usage Error naming the first entry that was not taken, and the known ones.
    void expect_end() const;

    [[nodiscard]] const Place& place() const { return place_; }
    [[nodiscard]] Place place_of(const Node& node) const;

   private:
    const Node& map_;
    Place place_;
    std::vector<std::string> known_;
};

bool read_flag(const Node& node, const Place& place);

}  // namespace pgsluice::rules
