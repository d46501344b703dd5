export const up = (pgm) => {
  pgm.sql("ALTER TABLE transfers ADD CONSTRAINT not_to_self CHECK (source <> target OR value < 1000000) NOT VALID");
  pgm.sql("ALTER TABLE cards ADD CONSTRAINT cards_number UNIQUE (number) DEFERRABLE INITIALLY DEFERRED");
};

export const down = (pgm) => {
  pgm.dropConstraint("cards", "cards_number");
  pgm.dropConstraint("transfers", "not_to_self");
};
