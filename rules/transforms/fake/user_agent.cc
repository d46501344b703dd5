// user_agent: what a current browser says of itself.
#include <fmt/format.h>

#include <iterator>

#include "rules/transforms/fake/text_fake.h"
#include "rules/transforms/transforms.h"

namespace pgsluice::rules {
namespace {

// With their versions frozen, as browsers send them.
constexpr std::string_view systems[] = {"Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7",
                                        "X11; Linux x86_64"};

std::string_view any_system(Draw& draw) { return systems[draw.below(std::size(systems))]; }

void chrome(Draw& draw, std::string_view system, std::string_view kind, std::string& out) {
    const std::uint64_t version = 110 + draw.below(30);
    fmt::format_to(std::back_inserter(out),
                   "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0{} Safari/537.36", system,
                   version, kind);
}

void firefox(Draw& draw, std::string& out) {
    const std::string_view system = any_system(draw);
    const std::uint64_t version = 110 + draw.below(30);
    fmt::format_to(std::back_inserter(out), "Mozilla/5.0 ({}; rv:{}.0) Gecko/20100101 Firefox/{}.0", system, version,
                   version);
}

void safari(Draw& draw, bool mobile, std::string& out) {
    const std::uint64_t major = 15 + draw.below(4);
    const std::uint64_t minor = draw.below(7);
    const std::string system =
        mobile ? fmt::format("iPhone; CPU iPhone OS {}_{} like Mac OS X", major, minor) : std::string(systems[1]);
    fmt::format_to(std::back_inserter(out),
                   "Mozilla/5.0 ({}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{}.{}{} Safari/{}", system, major,
                   minor, mobile ? " Mobile/15E148" : "", mobile ? "604.1" : "605.1.15");
}

void user_agent(Draw& draw, const Locale& /*locale*/, std::string& out) {
    switch (draw.below(5)) {
        case 0:
            return chrome(draw, any_system(draw), "", out);
        case 1:
            return chrome(draw, "Linux; Android 10; K", " Mobile", out);
        case 2:
            return firefox(draw, out);
        case 3:
            return safari(draw, false, out);
        default:
            return safari(draw, true, out);
    }
}

}  // namespace

std::unique_ptr<Transform> make_user_agent(Fields& parameters, const TransformDefaults& defaults) {
    return make_text_fake("user_agent", user_agent, parameters, defaults);
}

}  // namespace pgsluice::rules
