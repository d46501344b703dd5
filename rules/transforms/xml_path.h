// Paths into XML: /order/customer/name, //name (at any depth), /order/*/name, and of attributes /order/@id, //@email.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/place.h"

namespace pgsluice::rules {

class XmlPath {
   public:
    // usage Error when it is no path.
    XmlPath(std::string_view text, const Place& place);

    // `elements`: the names on the way to an element, with their prefixes, as they are written.
    [[nodiscard]] bool is_element(std::span<const std::string_view> elements) const;
    [[nodiscard]] bool is_attribute(std::span<const std::string_view> elements, std::string_view name) const;

   private:
    struct Step {
        std::string name;  // *: any
        bool descend = false;
    };
    // Whether the first of the steps lead to the last of the elements.
    [[nodiscard]] bool leads(std::span<const Step> steps, std::span<const std::string_view> elements) const;

    std::vector<Step> steps_;  // of elements
    Step attribute_;           // an empty name: it is of an element
};

}  // namespace pgsluice::rules
