// A dump read once, before anything is written: all of it is understood, and which tables it has rows of is known.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "worker/dump/reader.h"

namespace pgsluice {

struct SurveyedTable {
    QualifiedName name;
    std::vector<std::string> columns;
    dump::Place place;  // of its first rows
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
};

// Tables by their names, numbered in the order in which they came.
class TableNumbers {
   public:
    // The table's number; `known` is set when it had one.
    std::size_t of(const QualifiedName& name, bool& known);

   private:
    std::map<std::pair<std::string, std::string>, std::size_t> numbers_;
};

class Survey final : public dump::Rows {
   public:
    void table(const QualifiedName& name, const std::vector<std::string>& columns, const dump::Place& place) override;
    void row(std::string_view line, const dump::Place& place) override;

    [[nodiscard]] const std::vector<SurveyedTable>& tables() const noexcept { return tables_; }

   private:
    TableNumbers numbers_;
    std::vector<SurveyedTable> tables_;
    std::size_t current_ = 0;
};

// Reads all parts of a dump. A stop Error when something is not understood.
void read_dumps(const std::vector<std::string>& paths, dump::Reader& reader, const std::stop_token& stop,
                const std::function<void()>& tell);

}  // namespace pgsluice
