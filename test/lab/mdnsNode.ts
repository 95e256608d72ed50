/**
 * One device for the lab, a process: it publishes and browses, and prints what it finds and how it is, a JSON line each.
 * Argument: `{ deviceId, name, port, options }`. SIGTERM: goodbye.
 */
import { Mdns, type Options } from "../../adapters/mdns/Mdns.ts"

const { deviceId, name, options, port } = JSON.parse(process.argv[2] ?? "{}") as {
  readonly deviceId: string
  readonly name: string
  readonly port: number
  readonly options: Partial<Options>
}
const print = (line: unknown): boolean => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
  return true
}

const mdns = new Mdns({ self: deviceId, version: "0.3.0", ...options }, print)
mdns.advertise({ deviceId, name, gen: 2, meshId: "e".repeat(64), role: "field", incarnation: 7, port })

let last = ""
setInterval(() => {
  const { runs, why } = mdns.running
  if (last !== `${runs} ${why}`) print({ _tag: "Running", runs, why })
  last = `${runs} ${why}`
}, 50)

process.on("SIGTERM", () => {
  void mdns.close().then(() => process.exit(0))
})
