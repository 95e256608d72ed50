/**
 * A real node: what it costs to start and to keep, how long it takes to meet another one, and how much gets through between the
 * two. Nodes are the bundle that `pnpm build` writes, over TLS on loopback, without discovery; beside them stands what bare
 * `ws` and bare TLS do in the same run.
 *
 * Each line is measured against its bound. `--assert`: bounds that do not hold are a failure, and named.
 */
import { type Bound, close, lineOf } from "./node/Bound.ts"
import { measureBare } from "./node/Bare.ts"
import { build, Farm } from "./node/Daemon.ts"
import { measureMesh, measureStart } from "./node/Idle.ts"
import { HEARTBEAT_TEXT, measureLinks } from "./node/Links.ts"
import { machine, rounded } from "./Measure.ts"

export const about = "a real node: start, memory, meeting another, frames a second, ten idle"
export const flags = ["--assert"]

const ms = (value: number): string => `${rounded(value)} ms`

export const run = async (given: ReadonlyArray<string>): Promise<void> => {
  console.log(machine())
  build()
  const bounds: Array<Bound> = []
  const say = (...said: ReadonlyArray<Bound>): void => {
    bounds.push(...said)
    for (const bound of said) console.log(lineOf(bound))
  }
  const farm = new Farm()
  try {
    console.log("\nbetween two processes: bare ws and TLS; then the shipped node, and a kernel of ours that dials it")
    const bare = await measureBare(HEARTBEAT_TEXT)
    console.log(`    bare ws, there and back                          ${ms(bare.roundTripMs)}`)
    console.log(`    bare mutual TLS 1.3 connection, back to back     ${ms(bare.tlsConnectMs)}`)
    console.log(`    the same after a pause, as nodes dial            ${ms(bare.tlsPausedMs)}`)
    console.log(`    bare ws, messages sent back                      ${rounded(bare.echoesPerSecond)}/s`)
    console.log(`    bare ws, messages in one direction               ${rounded(bare.messagesPerSecond)}/s`)
    const links = await measureLinks(farm)
    say(
      { what: "from dialling to the session, TLS, p50", value: links.dialMs, atMost: 5, unit: "ms" },
      { what: "of that, from the open socket", value: links.handshakeMs, atMost: 2, unit: "ms" },
      { what: "heartbeats through both nodes", value: links.framesPerSecond, atLeast: 20_000, unit: "/s" }
    )

    console.log("\none node alone: as a shell starts it, then as its unit for systemd does")
    for (const asService of [false, true]) {
      const start = await measureStart(farm, asService)
      const how = asService ? ", as a service" : ""
      console.log(`    first start of all${how.padEnd(29)}  ${ms(start.firstMs)}`)
      say(
        { what: `start to listening, p50${how}`, value: start.startMs, atMost: 300, unit: "ms" },
        { what: `resident, idle${how}`, value: start.residentMb, atMost: 64, unit: "MB" }
      )
    }

    console.log("\nten idle nodes, everybody linked to everybody")
    const mesh = await measureMesh(farm)
    say({ what: "processor, busiest of the ten", value: mesh.processorPercentMax, atMost: 1, unit: "% of a core" })
    console.log(`    processor, node in the middle                    ${rounded(mesh.processorPercent)} % of a core`)
    console.log(`    resident, largest of the ten                     ${rounded(mesh.residentMbMax)} MB`)
  } finally {
    farm.close()
  }
  close(bounds, given)
}
