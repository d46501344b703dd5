#include "tests/support/ddl_form_parts.h"

namespace pgsluice::test::forms {

std::vector<DdlForm> of_partitions() {
    return {
        {parts, "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (30)"},
        {parts, "CREATE TABLE pd PARTITION OF p DEFAULT"},
        {parts,
         "CREATE TABLE p3 (v text, id int NOT NULL); ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (20) TO (30)"},
        {parts, "ALTER TABLE p DETACH PARTITION p2"},
        {parts, "ALTER TABLE p DETACH PARTITION p2; DROP TABLE p2"},
        {parts, "DROP TABLE p2"},
        {parts, "DROP TABLE p"},
        {parts, "ALTER TABLE p ADD COLUMN n int DEFAULT 5"},
        {parts, "ALTER TABLE p ADD COLUMN n timestamptz NOT NULL DEFAULT now()"},
        {parts, "ALTER TABLE p ADD COLUMN n uuid DEFAULT gen_random_uuid()"},
        {parts, "ALTER TABLE p DROP COLUMN v"},
        {parts, "ALTER TABLE p RENAME v TO w"},
        {parts, "ALTER TABLE p ALTER v TYPE varchar(9)"},
        {parts, "ALTER TABLE p ALTER v SET DEFAULT 'x'"},
        {parts, "ALTER TABLE ONLY p ALTER v SET DEFAULT 'x'"},
        {parts, "ALTER TABLE p ALTER v SET NOT NULL; ALTER TABLE p ALTER v DROP NOT NULL"},
        {parts, "ALTER TABLE p ADD CONSTRAINT c CHECK (id > 0)"},
        {parts, "ALTER TABLE p ADD UNIQUE (id, v)"},
        {parts, "CREATE INDEX i ON p (v)"},
        {parts, "CREATE INDEX i ON ONLY p (v); CREATE INDEX i1 ON p1 (v); ALTER INDEX i ATTACH PARTITION i1"},
        {parts, "CREATE INDEX i ON p (v); CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (30)"},
        {parts, "CREATE INDEX i ON p (v); DROP INDEX i"},
        {parts,
         "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (30) PARTITION BY RANGE (id); CREATE TABLE p31 "
         "PARTITION OF p3 FOR VALUES FROM (21) TO (22)"},
        {parts, "ALTER TABLE p1 RENAME TO first"},
        {parts, "ALTER TABLE p1 ADD CONSTRAINT c CHECK (v <> 'x')"},
        {"CREATE TABLE p (id int, v text) PARTITION BY HASH (id); CREATE TABLE h0 PARTITION OF p FOR VALUES WITH "
         "(MODULUS "
         "2, REMAINDER 0); CREATE TABLE h1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
         "ALTER TABLE p ADD PRIMARY KEY (id)"},
        {parts, "ALTER TABLE p DETACH PARTITION p2 CONCURRENTLY", {.alone = true}},
        {parts, "ALTER TABLE p DETACH PARTITION p2; ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (30)"},
        {parts,
         "CREATE TABLE p3 (LIKE p INCLUDING ALL); INSERT INTO p3 VALUES (25, 'c'); ALTER TABLE p ATTACH PARTITION p3 "
         "FOR "
         "VALUES FROM (20) TO (30)"},
        {parts, "CREATE TABLE pd PARTITION OF p DEFAULT; INSERT INTO p VALUES (100, 'x'); DROP TABLE pd"},
        {parts,
         "CREATE TABLE p3 PARTITION OF p (v DEFAULT 'own') FOR VALUES FROM (20) TO (30); INSERT INTO p3 (id) VALUES "
         "(20)"},
        {parts, "ALTER TABLE p1 ALTER v SET DEFAULT 'own'"},
        {parts, "ALTER TABLE p1 ADD UNIQUE (v)"},
        {parts, "CREATE INDEX ON p1 (v)"},
        {table, "CREATE TABLE q (id int PRIMARY KEY) PARTITION BY LIST (id)"},
        {
            table,
            "CREATE TABLE q (id int, k text, PRIMARY KEY (id, k)) PARTITION BY LIST (k); CREATE TABLE qa PARTITION OF "
            "q FOR "
            "VALUES IN ('a', 'b''c', NULL); CREATE TABLE qd PARTITION OF q DEFAULT; INSERT INTO q VALUES (1, 'a'), (2, "
            "'z')",
        },
        {"CREATE TABLE p (id int, v text) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); "
         "CREATE "
         "TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (1, 'a'), (2, 'b')",
         "ALTER TABLE p1 ADD PRIMARY KEY (id); ALTER TABLE p2 REPLICA IDENTITY FULL"},
        {"CREATE TABLE p (id int, v text) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); "
         "CREATE "
         "TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (1, 'a'), (2, 'b')",
         "ALTER TABLE p1 ADD PRIMARY KEY (id); DROP TABLE p2"},
    };
}

}  // namespace pgsluice::test::forms
