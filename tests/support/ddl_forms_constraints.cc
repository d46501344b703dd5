#include "tests/support/ddl_form_parts.h"

namespace pgsluice::test::forms {

std::vector<DdlForm> of_constraints() {
    return {
        {table, "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0)"},
        {table, "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NOT VALID"},
        {table, "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c"},
        {table, "ALTER TABLE t ADD CONSTRAINT u UNIQUE (v)"},
        {table, "ALTER TABLE t ADD CONSTRAINT u UNIQUE (v) INCLUDE (id) DEFERRABLE INITIALLY DEFERRED"},
        {table, "ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING btree (v WITH =)"},
        {table, "ALTER TABLE t DROP CONSTRAINT t_pkey"},
        {table, "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id)"},
        {table, "CREATE UNIQUE INDEX i ON t (id); ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY USING INDEX i"},
        {table, "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0); ALTER TABLE t RENAME CONSTRAINT c TO d"},
        {table, "ALTER INDEX t_pkey RENAME TO the_key"},
        {table, "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0); COMMENT ON CONSTRAINT c ON t IS 'always'"},
        {table, "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0); ALTER TABLE t ALTER id TYPE bigint", {.convert = true}},
        {two, "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p"},
        {two, "ALTER TABLE t ADD FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE ON UPDATE SET NULL NOT VALID"},
        {two,
         "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p; ALTER TABLE t ALTER CONSTRAINT fk "
         "DEFERRABLE INITIALLY DEFERRED; SET CONSTRAINTS ALL IMMEDIATE"},
        {two,
         "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p; ALTER TABLE p RENAME id TO key; ALTER "
         "TABLE p RENAME TO q"},
        {two, "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p; DROP TABLE p CASCADE"},
        {two, "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p; DROP TABLE p, t"},
        {two,
         "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p; ALTER TABLE p DROP CONSTRAINT p_pkey CASCADE"},
        {table, "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NO INHERIT"},
        {table, "ALTER TABLE t ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (v)", {.since = 150000}},
        {table, "CREATE UNIQUE INDEX i ON t (v); ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i"},
        {table,
         "ALTER TABLE t ADD CONSTRAINT u UNIQUE (v); ALTER TABLE t DROP CONSTRAINT u, ADD CONSTRAINT u UNIQUE (v, id)"},
        {two,
         "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT "
         "fk"},
        {"CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')",
         "ALTER TABLE t ADD CONSTRAINT n NOT NULL v",
         {.since = 180000}},
        {"CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')",
         "ALTER TABLE t ADD CONSTRAINT n NOT NULL v NOT VALID",
         {.since = 180000}},
        {table, "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 5) NOT ENFORCED", {.since = 180000}},
        {two, "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p NOT ENFORCED", {.since = 180000}},
        {two,
         "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p; ALTER TABLE t ALTER CONSTRAINT fk NOT ENFORCED",
         {.since = 180000}},
        {two,
         "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p NOT ENFORCED; ALTER TABLE t ALTER CONSTRAINT fk "
         "ENFORCED DEFERRABLE",
         {.since = 180000}},
        {"CREATE TABLE t (id int PRIMARY KEY, v text CONSTRAINT n NOT NULL); INSERT INTO t VALUES (1, 'a')",
         "ALTER TABLE t DROP CONSTRAINT n, ADD CONSTRAINT m NOT NULL v NOT VALID",
         {.since = 180000}},
    };
}

}  // namespace pgsluice::test::forms
