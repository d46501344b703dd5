// What a derived command does, as the operator names it: "add column", "drop table".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pgsluice {

enum class DdlKind : std::uint8_t {
    create_schema,
    alter_schema,
    drop_schema,
    create_extension,
    alter_extension,
    drop_extension,
    create_type,
    alter_type,
    drop_type,
    create_sequence,
    alter_sequence,
    drop_sequence,
    create_table,
    rename_table,
    drop_table,
    add_column,
    drop_column,
    rename_column,
    column_type,
    alter_column,  // NOT NULL, default, identity, storage
    constraint,
    index,
    statistics,
    partition,  // attached, detached, inherits
    table_options,
    row_security,
    owner,
    comment,
    create_view,
    alter_view,
    drop_view,
    create_function,
    alter_function,
    drop_function,
    create_trigger,
    alter_trigger,
    drop_trigger,
    create_policy,
    alter_policy,
    drop_policy,
    grant,
    recopy,  // the table is emptied: its rows come again
};

inline constexpr std::size_t ddl_kinds = 42;

[[nodiscard]] std::string_view name_of(DdlKind kind);
// "create schema, alter schema, ...", for messages.
[[nodiscard]] std::string all_ddl_kinds();

}  // namespace pgsluice
