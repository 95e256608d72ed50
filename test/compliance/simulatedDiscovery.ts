/** A simulated segment for the suite of discovery: paths of a simulated network, and an agenda that the test runs on. */
import { Agenda } from "../../sim/engine/Agenda.ts"
import { discoveryPort } from "../../sim/network/DiscoveryPort.ts"
import { Network } from "../../sim/network/Network.ts"
import type { News, Station } from "../../sim/network/Segment.ts"
import type { Segment } from "./discovery.ts"

export const makeSimulatedSegment = (): Segment => {
  const agenda = new Agenda<() => void>()
  let nowMs = 0
  let addresses = 0
  const carrier = { nowMs: () => nowMs, later: () => {} }
  const network = new Network(carrier, 1, { delayMs: { min: 1, max: 20 }, lossPpm: 0 }, () => true)
  const both = (a: string, b: string, change: (from: string, to: string) => void): void => {
    change(a, b)
    change(b, a)
  }
  return {
    join: async (deviceId) => {
      const told: Array<News> = []
      const address = `10.0.0.${++addresses}`
      let station: Station | null = null
      const seat = {
        name: deviceId,
        deviceId,
        address,
        later: (atMs: number, due: Parameters<Station["on"]>[0]) => {
          agenda.push(atMs, () => station?.on(due))
        },
        tell: (news: News) => void told.push(news)
      }
      const joined = network.segment.join(seat)
      station = joined
      const kill = (): void => {
        network.segment.leave(joined)
        station = null
      }
      return {
        discovery: discoveryPort(joined),
        at: (port) => `${address}:${port}`,
        told,
        stop: async () => {
          joined.sayGoodbye()
          kill()
        },
        kill
      }
    },
    cut: (a, b) => both(a, b, (from, to) => network.cut(from, to)),
    heal: (a, b) => both(a, b, (from, to) => network.mend(from, to)),
    wait: async (ms) => {
      const untilMs = nowMs + ms
      while (agenda.peekMs() <= untilMs) {
        agenda.next()
        nowMs = agenda.atMs
        agenda.payload!()
      }
      nowMs = untilMs
    },
    close: async () => {}
  }
}
