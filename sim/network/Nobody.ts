/** Who answers at an address that nobody has: no machine, no word, no reset. It has no state, and is the same in every world. */
import type { Port } from "./Connection.ts"

export const NOBODY: Port = {
  // No node can be called this.
  name: "nobody at all",
  process: 0,
  powered: false,
  listening: false,
  holds: () => false,
  onOpen: () => {},
  onDialFailed: () => {},
  onCargo: () => {},
  onClosed: () => {}
}
