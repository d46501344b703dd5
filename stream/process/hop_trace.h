// When each transaction passed a place on its way, to see where the time goes. Compiled in only with
// PGSLUICE_HOP_TRACE; then every process appends lines `place commit-LSN microseconds` (since 2000-01-01 UTC) at its
// end to the file that PGSLUICE_HOP_TRACE names in the environment.
#pragma once

#ifdef PGSLUICE_HOP_TRACE
#include <cstdint>

#include "sql/lsn.h"

namespace pgsluice {
// `place` is a literal. From any thread.
void pass_hop(const char* place, Lsn commit);
void pass_hop(const char* place, Lsn commit, std::int64_t at_us);
}  // namespace pgsluice
#define PGSLUICE_HOP(...) ::pgsluice::pass_hop(__VA_ARGS__)
#else
#define PGSLUICE_HOP(...) static_cast<void>(0)
#endif
