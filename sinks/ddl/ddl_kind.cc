#include "sinks/ddl/ddl_kind.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace pgsluice {

namespace {

constexpr std::array<std::string_view, ddl_kinds> names{
    "create schema",  "alter schema",    "drop schema",    "create extension", "alter extension",
    "drop extension", "create type",     "alter type",     "drop type",        "create sequence",
    "alter sequence", "drop sequence",   "create table",   "rename table",     "drop table",
    "add column",     "drop column",     "rename column",  "column type",      "alter column",
    "constraint",     "index",           "statistics",     "partition",        "table options",
    "row security",   "owner",           "comment",        "create view",      "alter view",
    "drop view",      "create function", "alter function", "drop function",    "create trigger",
    "alter trigger",  "drop trigger",    "create policy",  "alter policy",     "drop policy",
    "grant",          "recopy"};

}  // namespace

std::string_view name_of(DdlKind kind) { return names.at(static_cast<std::size_t>(kind)); }

std::string all_ddl_kinds() { return fmt::format("{}", fmt::join(names, ", ")); }

}  // namespace pgsluice
