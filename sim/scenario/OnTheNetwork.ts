import type { Verb } from "./Scenario.ts"

/** What lies on the network, and is gone when all of it heals. */
export const ON_THE_NETWORK: ReadonlySet<Verb["_tag"]> = new Set<Verb["_tag"]>([
  "cut",
  "partition",
  "isolate",
  "unplug",
  "slow",
  "detour",
  "clog",
  "flap",
  "swizzle",
  "throttle",
  "burst-loss",
  "idle-cut",
  "duplicate",
  "reorder",
  "corrupt",
  "lie",
  "late-close",
  "lossy-close",
  "lose-adverts"
])
