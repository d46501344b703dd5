#include "stream/format/direct_plan.h"

#include "stream/format/json_fields.h"

namespace pgsluice {

std::vector<PageRange> ranges_of(const DirectPlan& plan) {
    std::vector<PartSize> sizes;
    for (std::uint32_t part = 0; part < plan.parts.size(); ++part)
        sizes.push_back({plan.parts[part].table, part, plan.parts[part].pages});
    return plan_ranges(sizes, plan.range_pages);
}

std::optional<DirectPlan> decode_direct_plan(std::string_view snapshot_begin) {
    return with_json_fields(snapshot_begin, "a snapshot-begin marker", [](const JsonFields& fields) {
        std::optional<DirectPlan> plan;
        if (!fields.has("direct")) return plan;
        const JsonFields direct = fields.object("direct");
        plan.emplace();
        plan->snapshot = direct.text("snapshot");
        plan->range_pages = direct.unsigned_number<std::uint64_t>("range_pages");
        const std::size_t tables = direct.array("tables").size();
        for (const auto element : direct.array("parts")) {
            const JsonFields part(element, "a part of a snapshot-begin marker");
            plan->parts.push_back({part.unsigned_number<std::uint32_t>("table"), part.text("schema"), part.text("name"),
                                   part.unsigned_number<std::uint64_t>("pages")});
            if (plan->parts.back().table >= tables) throw part.bad("table", "not a number of a table");
        }
        return plan;
    });
}

}  // namespace pgsluice
