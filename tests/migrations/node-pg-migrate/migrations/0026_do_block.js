export const up = (pgm) => {
  pgm.sql(`DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['accounts', 'payments', 'invoices'] LOOP
    EXECUTE format('ALTER TABLE %I ADD COLUMN tenant integer NOT NULL DEFAULT 1', name);
    EXECUTE format('CREATE INDEX %I ON %I (tenant)', name || '_tenant', name);
  END LOOP;
END $$`);
};

export const down = (pgm) => {
  for (const table of ["accounts", "payments", "invoices"]) pgm.dropColumns(table, "tenant");
};
