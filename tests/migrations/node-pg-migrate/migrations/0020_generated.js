export const up = (pgm) => {
  pgm.addColumns("payments", { cents: { type: "bigint", expressionGenerated: "(value * 100)::bigint" } });
  pgm.createIndex("payments", "cents");
};

export const down = (pgm) => pgm.dropColumns("payments", "cents");
