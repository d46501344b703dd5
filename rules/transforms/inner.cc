#include "rules/transforms/inner.h"

#include <fmt/format.h>

namespace pgsluice::rules {

std::unique_ptr<Transform> read_inner(Fields& parameters, const TransformDefaults& defaults, std::string_view where) {
    const Node* node = parameters.take("transform");
    if (node == nullptr)
        throw refuse(parameters.place(), "'transform' is missing", "For example: transform: {type: redact}.");
    Fields inner_parameters(*node, parameters.place_of(*node), "'transform'");
    auto inner = make_transform(inner_parameters, defaults);
    inner_parameters.expect_end();
    if (!inner->subject().empty())
        throw refuse(inner_parameters.place(), fmt::format("'by' cannot be used inside {}", where));
    if (!inner->inputs().empty())
        throw refuse(inner_parameters.place(), fmt::format("a template cannot be used inside {}", where));
    return inner;
}

std::unique_ptr<Transform> read_inner_of(Fields& parameters, const TransformDefaults& defaults, std::string_view where,
                                         const Column& part, const std::string& hint) {
    auto inner = read_inner(parameters, defaults, where);
    if (const std::string reason = inner->unfit(part, value_type(part)); !reason.empty())
        throw refuse(parameters.place(), fmt::format("inside {} it gets {}: {}", where, part.type_name, reason), hint);
    return inner;
}

std::unique_ptr<Transform> read_inner_of_texts(Fields& parameters, const TransformDefaults& defaults,
                                               std::string_view where) {
    Column text;
    text.type_oid = 25;
    text.type_name = "text";
    return read_inner_of(parameters, defaults, where, text);
}

std::string InnerEdit::describe(std::string_view parts) const {
    return set ? fmt::format("set {} to {}", parts, *set) : fmt::format("delete {}", parts);
}

InnerEdit read_edit_of_texts(Fields& parameters, const TransformDefaults& defaults, std::string_view where) {
    const bool removes = parameters.flag("delete", false);
    InnerEdit edit;
    edit.set = parameters.text("set");
    if (!removes && !edit.set) {
        edit.inner = read_inner_of_texts(parameters, defaults, where);
        return edit;
    }
    if ((removes && edit.set) || parameters.take("transform") != nullptr)
        throw refuse(parameters.place(), "more than one of 'transform', 'delete' and 'set'", "Write a second rule.");
    return edit;
}

std::vector<std::string> read_one_or_more(Fields& parameters, std::string_view one, std::string_view more) {
    const auto single = parameters.text(one);
    const Node* list = parameters.take(more);
    if (single.has_value() == (list != nullptr))
        throw refuse(parameters.place(), fmt::format("'{0}' is missing, or both '{0}' and '{1}' are there", one, more));
    if (single) return {*single};
    std::vector<std::string> all;
    for (const Node& item : list->items) {
        if (!item.is_scalar()) throw refuse(parameters.place_of(item), fmt::format("'{}' must list texts", more));
        all.push_back(item.text);
    }
    if (all.empty()) throw refuse(parameters.place_of(*list), fmt::format("'{}' must list at least one", more));
    return all;
}

}  // namespace pgsluice::rules
