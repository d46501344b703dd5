export const up = (pgm) => {
  pgm.createDomain("short_text", "varchar(60)", { check: "VALUE <> ''", constraintName: "not_empty" });
  pgm.addColumns("accounts", { nick: { type: "short_text", default: "nobody" } });
};

export const down = (pgm) => {
  pgm.dropColumns("accounts", "nick");
  pgm.dropDomain("short_text");
};
