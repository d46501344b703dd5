#include "cmd/check/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "stream/base/printable.h"
#include "stream/format/json_writer.h"

namespace pgsluice {

namespace {

const char* name_of(CheckLevel level) {
    switch (level) {
        case CheckLevel::ok:
            return "ok";
        case CheckLevel::skipped:
            return "skip";
        case CheckLevel::warn:
            return "warn";
        case CheckLevel::fail:
            return "fail";
    }
    return "";
}

// Words of a server may be several lines.
std::string one_line(std::string text) {
    std::ranges::replace(text, '\n', ' ');
    return printable(text);
}

std::string line_of(const CheckFinding& finding) {
    const std::string text = fmt::format("{:<4} {}: {}", name_of(finding.level), finding.part, finding.text);
    if (finding.way_out.empty()) return one_line(text) + '\n';
    return one_line(fmt::format("{}{} {}", text, text.ends_with('.') ? "" : ".", finding.way_out)) + '\n';
}

CheckLevel worst_of(std::span<const CheckFinding> findings) {
    CheckLevel worst = CheckLevel::ok;
    for (const CheckFinding& finding : findings) worst = std::max(worst, finding.level);
    return worst;
}

std::string summary(std::span<const CheckFinding> findings) {
    const auto count = [&](CheckLevel level) { return std::ranges::count(findings, level, &CheckFinding::level); };
    return fmt::format("{} ok, {} not checked, {} warnings, {} failures; nothing was made or changed\n",
                       count(CheckLevel::ok), count(CheckLevel::skipped), count(CheckLevel::warn),
                       count(CheckLevel::fail));
}

}  // namespace

std::string report_text(std::span<const CheckFinding> findings) {
    std::string out;
    for (const CheckFinding& finding : findings) out += line_of(finding);
    return out + summary(findings);
}

std::string report_json(std::span<const CheckFinding> findings) {
    JsonText out;
    out.raw('{');
    const CheckLevel worst = worst_of(findings);
    out.text("result", name_of(worst == CheckLevel::skipped ? CheckLevel::ok : worst));
    out.key("findings");
    out.raw('[');
    for (const CheckFinding& finding : findings) {
        if (&finding != findings.data()) out.raw(',');
        out.raw('{');
        out.text("level", name_of(finding.level));
        out.text("part", finding.part);
        out.text("text", finding.text);
        out.text("way_out", finding.way_out);
        out.raw('}');
    }
    out.raw("]}\n");
    return std::string(out.view());
}

ExitCode report_code(std::span<const CheckFinding> findings) {
    const CheckLevel worst = worst_of(findings);
    return worst == CheckLevel::fail ? exit_fail : worst == CheckLevel::warn ? exit_warn : exit_done;
}

}  // namespace pgsluice
