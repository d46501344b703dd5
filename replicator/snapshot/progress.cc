#include "replicator/snapshot/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stream/format/json_writer.h"

namespace pgsluice {

namespace {

std::uint64_t estimated_bytes(const SnapshotProgress& progress) {
    std::uint64_t sum = 0;
    for (const auto& table : progress.tables) sum += table.estimated_bytes;
    return sum;
}

std::string running_tables(const SnapshotProgress& progress) {
    JsonText out;
    out.raw('[');
    bool first = true;
    for (const auto& table : progress.tables) {
        if (table.ranges_running == 0) continue;
        out.raw(first ? "{\"table\":" : ",{\"table\":");
        out.text(table.name);
        out.raw(fmt::format(R"(,"rows":{},"bytes":{},"share":{:.3f}}})", table.rows, table.bytes, share_done(table)));
        first = false;
    }
    out.raw(']');
    return std::string(out.view());
}

}  // namespace

double share_done(const TableProgress& table) {
    if (table.ranges_left == 0) return 1;
    if (table.pages == 0) return 0;
    const auto pages = static_cast<double>(table.pages);
    const auto done = static_cast<double>(table.pages_done);
    const double bytes_per_page = table.bytes_done > 0 ? static_cast<double>(table.bytes_done) / done
                                                       : static_cast<double>(table.estimated_bytes) / pages;
    const auto brought = static_cast<double>(table.bytes - table.bytes_done);
    const double running = bytes_per_page > 0 ? brought / bytes_per_page : 0;
    return (done + std::min(running, 0.99 * static_cast<double>(table.pages_running))) / pages;
}

double share_done(const SnapshotProgress& progress) {
    if (progress.complete) return 1;
    double done = 0;
    double all = 0;
    for (const auto& table : progress.tables) {
        // An empty table is work, too.
        const auto weight = static_cast<double>(std::max<std::uint64_t>(table.estimated_bytes, 8192));
        done += weight * share_done(table);
        all += weight;
    }
    return all > 0 ? done / all : 0;
}

std::size_t tables_done(const SnapshotProgress& progress) {
    return static_cast<std::size_t>(std::count_if(progress.tables.begin(), progress.tables.end(),
                                                  [](const TableProgress& table) { return table.ranges_left == 0; }));
}

double megabytes_per_second(const SnapshotProgress& progress) {
    return static_cast<double>(progress.bytes) / 1e6 / std::max(progress.seconds, 0.001);
}

std::optional<double> seconds_left(const SnapshotProgress& progress) {
    if (progress.complete) return 0;
    const double share = share_done(progress);
    if (share < 0.01 || progress.seconds < 1) return std::nullopt;
    return progress.seconds * (1 - share) / share;
}

std::string clock_text(double seconds) {
    const auto whole = std::llround(seconds);
    if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string to_json(const SnapshotProgress& progress) {
    const auto left = seconds_left(progress);
    return fmt::format(
        R"({{"epoch":{},"tables":{},"tables_done":{},"rows":{},"bytes":{},"estimated_bytes":{},"seconds":{:.1f},)"
        R"("share":{:.3f},"mb_per_second":{:.1f},"seconds_left":{},"running":{},"complete":{}}})",
        progress.epoch, progress.tables.size(), tables_done(progress), progress.rows, progress.bytes,
        estimated_bytes(progress), progress.seconds, share_done(progress), megabytes_per_second(progress),
        left ? fmt::format("{:.0f}", *left) : "null", running_tables(progress), progress.complete);
}

std::string to_text(const SnapshotProgress& progress) {
    std::string text = fmt::format("copied {} rows, {:.1f} MB at {:.1f} MB/s; {} of {} tables complete", progress.rows,
                                   static_cast<double>(progress.bytes) / 1e6, megabytes_per_second(progress),
                                   tables_done(progress), progress.tables.size());
    if (progress.complete) return text;
    text += fmt::format("; {:.0f} %", 100 * share_done(progress));
    if (const auto left = seconds_left(progress)) text += fmt::format(", about {} left", clock_text(*left));
    return text;
}

}  // namespace pgsluice
