// PostgreSQL's clock: microseconds since 2000-01-01 00:00 UTC.
#pragma once

#include <chrono>
#include <cstdint>

namespace pgsluice::sql {

inline std::int64_t postgres_time_us() {
    constexpr std::chrono::seconds unix_to_postgres(946684800);
    const auto now = std::chrono::system_clock::now().time_since_epoch() - unix_to_postgres;
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace pgsluice::sql
