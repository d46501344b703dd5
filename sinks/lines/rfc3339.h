// Points in time as text.
#pragma once

#include <cstdint>
#include <string>

namespace pgsluice {

// Microseconds between 1970-01-01, from where Unix counts, and 2000-01-01, from where PostgreSQL does.
constexpr std::int64_t postgres_epoch_us = 946684800000000;

// Appends "2026-11-20T23:05:00.123456Z" for microseconds since 1970-01-01 UTC.
void append_rfc3339(std::string& out, std::int64_t unix_us);
// "20261120T230500.123456Z": the same without the characters that are a nuisance in file names.
std::string compact_time(std::int64_t unix_us);
std::int64_t now_unix_us();

}  // namespace pgsluice
