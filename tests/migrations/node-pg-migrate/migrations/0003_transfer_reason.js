export const up = (pgm) => {
  pgm.addColumns("transfers", {
    reason: { type: "text", default: "none given" },
    booked: { type: "boolean", notNull: true, default: false },
    at: { type: "timestamptz", notNull: true, default: pgm.func("now()") },
  });
};

export const down = (pgm) => pgm.dropColumns("transfers", ["reason", "booked", "at"]);
