#include "worker/compare/differences.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace pgsluice {

void Differences::at_source(std::string key, std::uint64_t digest, RowPlace place) {
    source_.emplace(std::move(key), Row{digest, std::move(place)});
}

void Differences::at_target(std::string key, std::uint64_t digest, RowPlace place) {
    const auto [first, end] = source_.equal_range(key);
    const auto same = std::find_if(first, end, [digest](const auto& row) { return row.second.digest == digest; });
    if (same != end)
        source_.erase(same);
    else
        target_.emplace_back(std::move(key), std::move(place));
}

std::vector<Difference> Differences::take() {
    std::vector<Difference> found;
    for (auto& [key, place] : target_) {
        const auto other = source_.find(key);
        if (other == source_.end()) {
            found.push_back({Difference::Kind::extra, key, {}, std::move(place)});
        } else {
            found.push_back({Difference::Kind::changed, key, std::move(other->second.place), std::move(place)});
            source_.erase(other);
        }
    }
    for (auto& [key, row] : source_) found.push_back({Difference::Kind::missing, key, std::move(row.place), {}});
    source_.clear();
    target_.clear();
    const auto order = [](const Difference& row) {
        return std::tuple(row.key.size(), std::string_view(row.key), row.kind);
    };
    std::sort(found.begin(), found.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
    return found;
}

}  // namespace pgsluice
