export const up = (pgm) => {
  pgm.createTable("measurements_4", {}, { like: { table: "measurements", options: { including: "ALL" } } });
  pgm.sql("INSERT INTO measurements_4 SELECT 4, date '2024-01-01' + i, i FROM generate_series(1, 100) i");
  pgm.sql("ALTER TABLE measurements_4 ADD CHECK (sensor = 4)");
  pgm.sql("ALTER TABLE measurements ATTACH PARTITION measurements_4 FOR VALUES IN (4)");
  pgm.addColumns("measurements", { unit: { type: "char(3)", notNull: true, default: "kWh" } });
};

export const down = (pgm) => {
  pgm.dropColumns("measurements", "unit");
  pgm.sql("ALTER TABLE measurements DETACH PARTITION measurements_4");
  pgm.dropTable("measurements_4");
};
