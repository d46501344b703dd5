#include "cmd/terminal/compare_bar.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgsluice {

namespace {

constexpr std::size_t cells = 20;

bool at_work(const ComparedSoFar& table) { return table.rows > 0 && table.pages_done < table.pages; }

}  // namespace

std::string compare_bar(const CompareProgress& progress, std::size_t columns) {
    std::uint64_t pages = 1;
    std::uint64_t done = 0;
    std::uint64_t rows = 0;
    std::size_t tables = 0;
    for (const ComparedSoFar& table : progress.tables) {
        pages += table.pages;
        done += table.pages_done;
        rows += table.rows;
        tables += table.pages_done >= table.pages ? 1 : 0;
    }
    const double share = static_cast<double>(done) / static_cast<double>(pages);
    const auto filled = std::min(cells, static_cast<std::size_t>(share * cells));
    std::string text = fmt::format("{} of {} tables [{}{}] {:3.0f} % {:>11} rows", tables, progress.tables.size(),
                                   std::string(filled, '#'), std::string(cells - filled, '-'), 100 * share, rows);
    if (progress.seconds > 1) text += fmt::format(" {:>9.0f} rows/s", static_cast<double>(rows) / progress.seconds);
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
