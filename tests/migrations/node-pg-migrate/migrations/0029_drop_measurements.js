export const up = (pgm) => {
  pgm.sql("ALTER TABLE measurements DETACH PARTITION measurements_2");
  pgm.dropTable("measurements_3");
  pgm.dropIndex("payments", "cents");
  pgm.dropColumns("payments", "cents", { ifExists: true });
};

export const down = (pgm) => {
  pgm.addColumns("payments", { cents: { type: "bigint", expressionGenerated: "(value * 100)::bigint" } });
  pgm.createIndex("payments", "cents");
  pgm.sql("CREATE TABLE measurements_3 PARTITION OF measurements FOR VALUES IN (3)");
  pgm.sql("ALTER TABLE measurements ATTACH PARTITION measurements_2 FOR VALUES IN (2)");
};
