export const up = (pgm) => {
  pgm.createTable(
    "bookings",
    {
      id: { type: "integer", primaryKey: true, sequenceGenerated: { precedence: "BY DEFAULT" } },
      card_id: { type: "uuid", references: "cards", onDelete: "CASCADE" },
      during: { type: "int4range", notNull: true },
    },
    { constraints: { exclude: "USING gist (during WITH &&)" } },
  );
  pgm.sql("INSERT INTO bookings (during) SELECT int4range(i * 10, i * 10 + 5) FROM generate_series(1, 50) i");
};

export const down = (pgm) => pgm.dropTable("bookings");
