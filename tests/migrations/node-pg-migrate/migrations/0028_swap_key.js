export const up = (pgm) => {
  pgm.addColumns("bookings", { uid: { type: "uuid", notNull: true, default: pgm.func("gen_random_uuid()") } });
  pgm.dropConstraint("bookings", "bookings_pkey");
  pgm.addConstraint("bookings", "bookings_pkey", { primaryKey: "uid" });
  pgm.dropColumns("bookings", "id");
};

export const down = (pgm) => {
  pgm.addColumns("bookings", { id: { type: "integer", notNull: true, sequenceGenerated: { precedence: "BY DEFAULT" } } });
  pgm.dropConstraint("bookings", "bookings_pkey");
  pgm.addConstraint("bookings", "bookings_pkey", { primaryKey: "id" });
  pgm.dropColumns("bookings", "uid");
};
