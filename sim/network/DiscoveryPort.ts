/** The `Discovery` port on a simulated segment, where multicast always works. */
import * as Effect from "effect/Effect"
import type { Discovery } from "../../kernel/Ports.ts"
import type { Station } from "./Segment.ts"

export const discoveryPort = (station: Station): Discovery["Service"] => ({
  advertise: (record) => Effect.sync(() => station.advertise(record)),
  running: Effect.succeed({ runs: true, why: "" })
})
