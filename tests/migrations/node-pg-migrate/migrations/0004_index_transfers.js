export const up = (pgm) => {
  pgm.noTransaction();
  pgm.createIndex("transfers", "source", { concurrently: true, ifNotExists: true });
  pgm.createIndex("transfers", ["target", { name: "at", sort: "DESC" }], { concurrently: true, name: "transfersByTarget" });
};

export const down = (pgm) => {
  pgm.noTransaction();
  pgm.dropIndex("transfers", [], { concurrently: true, name: "transfersByTarget" });
  pgm.dropIndex("transfers", "source", { concurrently: true });
};
