// Which characters a mask with `preset` leaves: those that show what kind of value it is, and little of whose.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::rules {

// By bytes of the text: whether the character that begins there stays.
using Kept = std::vector<bool>;

struct MaskPreset {
    std::string_view name;
    void (*mark)(std::string_view text, Kept& kept);  // `kept` comes all false
};

// Null when there is none of this name.
const MaskPreset* find_mask_preset(std::string_view name);
// For a hint: "name, email, ...".
std::string mask_preset_names();

}  // namespace pgsluice::rules
