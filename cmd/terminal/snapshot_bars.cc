#include "cmd/terminal/snapshot_bars.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stream/format/utf8.h"

namespace pgsluice {

namespace {

constexpr std::size_t widest_name = 32;
constexpr std::size_t widest_bar = 40;
constexpr std::size_t narrowest_bar = 5;

std::size_t width(std::string_view text) {
    return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_continuation));
}

// The first `columns` characters (UTF-8; each counts as one column).
std::string_view cut(std::string_view text, std::size_t columns) {
    std::size_t end = 0;
    for (std::size_t seen = 0; end < text.size(); ++end) {
        if (!is_continuation(text[end]) && seen++ == columns) break;
    }
    return text.substr(0, end);
}

// A name may hold anything, even bytes that move the cursor.
std::string printable(std::string_view name) {
    std::string text(name);
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    if (width(text) > widest_name) text = std::string(cut(text, widest_name - 3)) + "...";
    return text;
}

struct BarLine {
    std::string name;
    double share = 0;
    std::string figures;
};

std::string figures(double share, std::uint64_t rows, std::uint64_t bytes) {
    return fmt::format("{:3.0f} % {:>10} rows {:>9.1f} MB", std::floor(100 * share), rows,
                       static_cast<double>(bytes) / 1e6);
}

std::vector<BarLine> lines_of(const SnapshotProgress& progress) {
    std::vector<BarLine> lines;
    for (const auto& table : progress.tables) {
        if (table.ranges_running == 0) continue;
        const double share = share_done(table);
        lines.push_back({printable(table.name), share, figures(share, table.rows, table.bytes)});
    }
    const double share = share_done(progress);
    std::string total = figures(share, progress.rows, progress.bytes);
    total += fmt::format(" {:>7.1f} MB/s", megabytes_per_second(progress));
    if (const auto left = seconds_left(progress)) total += fmt::format("  {} left", clock_text(*left));
    lines.push_back({fmt::format("{} of {} tables", tables_done(progress), progress.tables.size()), share, total});
    return lines;
}

std::string bar(double share, std::size_t cells) {
    const auto filled = std::min(cells, static_cast<std::size_t>(share * static_cast<double>(cells)));
    return '[' + std::string(filled, '#') + std::string(cells - filled, '-') + ']';
}

}  // namespace

std::vector<std::string> snapshot_bars(const SnapshotProgress& progress, std::size_t columns) {
    const auto lines = lines_of(progress);
    std::size_t name_width = 0;
    std::size_t figures_width = 0;
    for (const BarLine& line : lines) {
        name_width = std::max(name_width, width(line.name));
        figures_width = std::max(figures_width, line.figures.size());
    }
    const std::size_t others = name_width + figures_width + 4;  // two spaces, two brackets
    const std::size_t cells = columns > others ? std::min(columns - others, widest_bar) : 0;
    std::vector<std::string> text;
    for (const BarLine& line : lines) {
        std::string one = line.name + std::string(name_width - width(line.name) + 1, ' ');
        if (cells >= narrowest_bar) one += bar(line.share, cells) + ' ';
        text.emplace_back(cut(one + line.figures, columns));
    }
    return text;
}

OnSnapshotProgress draw_copy(std::shared_ptr<StatusLines> lines) {
    return [lines = std::move(lines)](const SnapshotProgress& progress) {
        if (progress.ended) return lines->erase();
        lines->draw(snapshot_bars(progress, lines->columns()));
    };
}

}  // namespace pgsluice
