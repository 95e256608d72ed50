/** As many seeds as a 32-bit draw can tell apart. Apart from the reader of scenarios, which takes long to load. */
export const SEED_MAX = 4_294_967_295
