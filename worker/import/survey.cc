#include "worker/import/survey.h"

#include <fmt/format.h>

#include "worker/dump/input.h"

namespace pgsluice {

std::size_t TableNumbers::of(const QualifiedName& name, bool& known) {
    const auto [found, is_new] = numbers_.try_emplace({name.schema, name.table}, numbers_.size());
    known = !is_new;
    return found->second;
}

void Survey::table(const QualifiedName& name, const std::vector<std::string>& columns, const dump::Place& place) {
    bool known = false;
    current_ = numbers_.of(name, known);
    if (!known) tables_.push_back({name, columns, place});
    if (tables_[current_].columns == columns) return;
    throw dump::refused(place,
                        fmt::format("rows of '{}.{}' have other columns, or in another order, than those in line {}",
                                    name.schema, name.table, tables_[current_].place.line),
                        dump::dump_hint);
}

void Survey::row(std::string_view line, const dump::Place& /*place*/) {
    ++tables_[current_].rows;
    tables_[current_].bytes += line.size() + 1;
}

void read_dumps(const std::vector<std::string>& paths, dump::Reader& reader, const std::stop_token& stop,
                const std::function<void()>& tell) {
    for (const std::string& path : paths) {
        dump::Input input(path, stop, tell);
        reader.read(path, [&](char* into, std::size_t size) { return input.read(into, size); });
    }
}

}  // namespace pgsluice
