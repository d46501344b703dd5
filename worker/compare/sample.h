// A sample of a table's rows, by their keys: some of the ranges that the table is cut into (table.h), so that both ends
// read the same rows, and one that is missing at either end is found.
//
// The ranges are spread evenly over the keys, and the last one, in which new keys are, is among them. Where an index of
// each end finds the ranges, nothing else is read. Otherwise the choice is by a hash of the key, and the tables are
// read for that. A table of few pages, or without a key, is compared whole: there a sample would save nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sql/connection.h"
#include "worker/compare/table.h"

namespace pgsluice {

// Into how many ranges a table of so many pages on the source is cut; 0 where it is compared whole.
std::size_t ranges_for_sample(std::uint64_t pages, double percent);
// Numbers of ranges, at least one.
std::vector<std::size_t> spread_over(std::size_t ranges, double percent);

// By what the table is cut, and into how many ranges; 0, and nothing, where it is compared whole. Its bounds are to be
// set then, which may turn out to be fewer.
std::size_t cut_for_sample(ComparedTable& table, double percent, sql::Connection& source, sql::Connection& target);
void cut_by_hash(ComparedTable& table, std::size_t ranges);

}  // namespace pgsluice
