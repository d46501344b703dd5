#include "cmd/terminal/compare_bar.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice {

namespace {

constexpr std::size_t cells = 20;

bool at_work(const ComparedSoFar& table) { return table.rows > 0 && table.pages_done < table.pages; }

}  // namespace

std::string compare_bar(const CompareProgress& progress, std::size_t columns) {
    const ComparedSoFar all = progress.total();
    const auto tables = std::ranges::count_if(
        progress.tables, [](const ComparedSoFar& table) { return table.pages_done >= table.pages; });
    const double share = static_cast<double>(all.pages_done) / static_cast<double>(all.pages + 1);
    const auto filled = std::min(cells, static_cast<std::size_t>(share * cells));
    std::string text = fmt::format("{} of {} tables [{}{}] {:3.0f} % {:>11} rows", tables, progress.tables.size(),
                                   std::string(filled, '#'), std::string(cells - filled, '-'), 100 * share, all.rows);
    if (progress.seconds > 1) text += fmt::format(" {:>9.0f} rows/s", static_cast<double>(all.rows) / progress.seconds);
    const auto current = std::ranges::find_if(progress.tables, at_work);
    if (current != progress.tables.end()) text += "  " + current->name;
    for (char& c : text) {  // a name may hold anything, also what would move the cursor
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
    }
    return text.substr(0, columns);
}

OnCompareProgress draw_comparison(std::shared_ptr<StatusLines> lines) {
    return [lines = std::move(lines)](const CompareProgress& progress) {
        if (progress.ended) return lines->erase();
        lines->draw({compare_bar(progress, lines->columns())});
    };
}

}  // namespace pgsluice
