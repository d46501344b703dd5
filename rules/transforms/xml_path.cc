#include "rules/transforms/xml_path.h"

#include <fmt/format.h>

#include <utility>

namespace pgsluice::rules {
namespace {

bool fits(std::string_view wanted, std::string_view name) { return wanted == "*" || wanted == name; }

}  // namespace

XmlPath::XmlPath(std::string_view text, const Place& place) {
    const auto fail = [&] {
        return refuse(place, fmt::format("'{}' is not a path into XML", text),
                      "Paths look like /order/customer/name, //name or /order/@id.");
    };
    std::string_view rest = text;
    while (!rest.empty()) {
        if (!rest.starts_with('/') || !attribute_.name.empty()) throw fail();
        rest.remove_prefix(1);
        Step step;
        step.descend = rest.starts_with('/');
        if (step.descend) rest.remove_prefix(1);
        const bool attribute = rest.starts_with('@');
        if (attribute) rest.remove_prefix(1);
        step.name = rest.substr(0, rest.find('/'));
        rest.remove_prefix(step.name.size());
        if (step.name.empty() || step.name.find_first_of("@[]()=\"'|<>& \t\n") != std::string::npos) throw fail();
        if (attribute)
            attribute_ = std::move(step);
        else
            steps_.push_back(std::move(step));
    }
    if (steps_.empty() && !attribute_.descend) throw fail();
}

bool XmlPath::leads(std::span<const Step> steps, std::span<const std::string_view> elements) const {
    if (steps.empty()) return elements.empty();
    const Step& last = steps.back();
    if (elements.empty() || !fits(last.name, elements.back())) return false;
    steps = steps.first(steps.size() - 1);
    elements = elements.first(elements.size() - 1);
    if (!last.descend) return leads(steps, elements);
    for (std::size_t above = 0; above <= elements.size(); ++above)
        if (leads(steps, elements.first(above))) return true;
    return false;
}

bool XmlPath::is_element(std::span<const std::string_view> elements) const {
    return attribute_.name.empty() && leads(steps_, elements);
}

bool XmlPath::is_attribute(std::span<const std::string_view> elements, std::string_view name) const {
    if (attribute_.name.empty() || !fits(attribute_.name, name)) return false;
    if (!attribute_.descend) return leads(steps_, elements);
    for (std::size_t above = 0; above <= elements.size(); ++above)
        if (leads(steps_, elements.first(above))) return true;
    return false;
}

}  // namespace pgsluice::rules
