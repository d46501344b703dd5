export const up = (pgm) => pgm.addColumns("transfers", { place: { type: "serial", notNull: true } });

export const down = (pgm) => pgm.dropColumns("transfers", "place");
