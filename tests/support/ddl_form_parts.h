// Parts of the table of forms, and what several of them are about.
#pragma once

#include <vector>

#include "tests/support/ddl_forms.h"

namespace pgsluice::test::forms {

inline constexpr const char* table =
    "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'), (2, NULL)";
inline constexpr const char* two =
    "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, p int); INSERT INTO p VALUES (1); "
    "INSERT INTO t VALUES (1, 1)";
inline constexpr const char* parts =
    "CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR "
    "VALUES "
    "FROM (1) TO (10); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO p VALUES (1, 'a'), "
    "(11, 'b')";
inline constexpr const char* numbered =
    "CREATE TABLE p (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE p1 "
    "PARTITION OF p FOR VALUES FROM (1) TO (10); INSERT INTO p (v) VALUES ('a')";
inline constexpr const char* mood =
    "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (id int PRIMARY KEY, m mood DEFAULT 'ok'); INSERT INTO "
    "t "
    "VALUES (1)";

std::vector<DdlForm> of_columns();
std::vector<DdlForm> of_constraints();
std::vector<DdlForm> of_tables_and_indexes();
std::vector<DdlForm> of_partitions();
std::vector<DdlForm> of_types_sequences_schemas();

}  // namespace pgsluice::test::forms
