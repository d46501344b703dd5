export const up = (pgm) => {
  pgm.createTable(
    "measurements",
    { sensor: { type: "integer", notNull: true }, day: { type: "date", notNull: true }, value: "real" },
    { constraints: { primaryKey: ["sensor", "day"] }, partition: { strategy: "LIST", columns: "sensor" } },
  );
  for (const sensor of [1, 2, 3]) pgm.sql(`CREATE TABLE measurements_${sensor} PARTITION OF measurements FOR VALUES IN (${sensor})`);
  pgm.sql("INSERT INTO measurements SELECT 1 + i % 3, date '2024-01-01' + i, i / 7.0 FROM generate_series(1, 300) i");
};

export const down = (pgm) => pgm.dropTable("measurements");
