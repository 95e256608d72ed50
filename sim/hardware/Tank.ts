/**
 * A tank that several pumps draw from, and that a well fills.
 *
 * Model: the well gives the same all day. Who draws from an empty tank shares what the well gives, as everybody draws.
 *
 * Does not model: pressure, pipes, a pump that runs hot because it draws air.
 */
export interface Tank {
  readonly holdsL: number
  readonly fillsLPerHour: number
}

/** What is in it after `hours` in which the pumps would have drawn `wantedL`, and what share of that they got. */
export const drawn = (
  { fillsLPerHour, holdsL }: Tank,
  litres: number,
  hours: number,
  wantedL: number
): { readonly litres: number; readonly share: number } => {
  const there = litres + fillsLPerHour * hours
  const got = Math.min(there, wantedL)
  return { litres: Math.min(holdsL, there - got), share: wantedL === 0 ? 1 : got / wantedL }
}
