/**
 * An incident as a scenario, as far as it can be: who was there, who was gone and when, which links were cut, how the clocks stood,
 * and what nodes saw as what comes to be seen again. What is only approximated is said at its top.
 */
import { modeline } from "../scenario/Modeline.ts"
import type { Device, Incident, Seen } from "./Incident.ts"

/** Behind what is known: for the last of it to be noticed. */
const AFTER_MS = 20_000
/** More are one story too many. */
const STEPS_MAX = 1_000
const SEEN_MAX = 50

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, "-")
    .replaceAll(/^[^a-z]+|-+$/gu, "")
    .slice(0, 40)

/** By id; no two are the same. */
const namesOf = (devices: ReadonlyArray<Device>): ReadonlyMap<string, string> => {
  const taken = new Set<string>()
  return new Map(
    devices.map(({ id, name }) => {
      const plain = slug(name) || `device-${id.slice(0, 8)}`
      let free = plain
      for (let n = 2; taken.has(free); n++) free = `${plain}-${n}`
      taken.add(free)
      return [id, free]
    })
  )
}

interface Step {
  readonly atMs: number
  readonly text: string
}

const ms = (time: number): string => `${Math.round(time)}ms`
const skew = (time: number): string => `${time < 0 ? "-" : "+"}${Math.abs(time)}ms`

const nodeLine = ({ capabilities, role, skewMs }: Device): string => {
  const can = capabilities.filter((word) => /^[a-z]+(?::[a-z][a-z0-9-]*)+$/u.test(word))
  return [
    `role: ${role}`,
    ...(can.length === 0 ? [] : [`can: [${can.join(", ")}]`]),
    ...(skewMs === null || skewMs === 0 ? [] : [`clock-skew: ${skew(skewMs)}`])
  ].join(", ")
}

const stepsOf = ({ cuts, devices, endMs }: Incident, names: ReadonlyMap<string, string>): ReadonlyArray<Step> => {
  const steps: Array<Step> = []
  const count = new Map<string, number>()
  const idOf = (what: string): string => {
    const n = (count.get(what) ?? 0) + 1
    count.set(what, n)
    return n === 1 ? what : `${what}-${n}`
  }
  const add = (atMs: number, text: string, id?: string, more = ""): void =>
    void steps.push({ atMs, text: `  - { at: ${ms(atMs)}${id === undefined ? "" : `, id: ${id}`}, ${text}${more} }` })
  for (const { frozen, id, off, startMs, unplugged } of devices) {
    const name = names.get(id)!
    add(startMs, `start: ${name}`)
    for (const { fromMs, how, sure, untilMs } of off) {
      const note = sure ? "" : `, note: "never seen again: taken for a loss of power"`
      add(fromMs, `${how}: ${name}`, idOf(`${name}-${how === "crash" ? "dies" : "leaves"}`), note)
      if (untilMs !== null) add(untilMs, `restart: ${name}`, idOf(`${name}-is-back`))
    }
    for (const { fromMs, untilMs } of frozen)
      if (untilMs !== null) add(fromMs, `freeze: ${name}, for: ${ms(Math.max(1, untilMs - fromMs))}`)
    for (const { fromMs, untilMs } of unplugged)
      add(fromMs, `unplug: ${name}, for: ${ms(Math.max(1, (untilMs ?? endMs) - fromMs))}`)
  }
  for (const { between, fromMs, untilMs } of cuts) {
    const [a, b] = between.map((id) => names.get(id)!)
    const forMs = untilMs === null ? "" : `, for: ${ms(Math.max(1, untilMs - fromMs))}`
    add(fromMs, `cut: [${a}, ${b}]${forMs}`, idOf(`${a}-and-${b}-part`))
  }
  return steps.toSorted((a, b) => a.atMs - b.atMs).slice(0, STEPS_MAX)
}

/** Before it was noticed, what led to it had happened. */
const BEFORE_MS = 20_000

const expectation = ({ about, atMs, by, what }: Seen, names: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  const [who, whom] = [names.get(by), names.get(about)]
  if (who === undefined || whom === undefined) return []
  const name = what === "down" ? `${who} has ${whom} for down` : `${whom} leads, as ${who} sees it`
  const fact = what === "down" ? `peers: { ${who}: { ${whom}: down } }` : `leader: ${whom}`
  return [
    `  - name: ${name}, as at ${ms(atMs)} of the recording`,
    `    sometimes: { ${fact} }`,
    `    from: ${ms(Math.max(0, atMs - BEFORE_MS))}`
  ]
}

/** @param sources what was read, as it was named */
export const scenarioText = (
  incident: Incident,
  {
    schema,
    sources,
    title
  }: { readonly schema: string; readonly sources: ReadonlyArray<string>; readonly title: string }
): string => {
  const { devices, electors, endMs, limits, originMs, profile, seen } = incident
  const names = namesOf(devices)
  const steps = stepsOf(incident, names)
  const unrecorded = devices.filter(({ recorded }) => !recorded).map(({ id }) => names.get(id)!)
  const about = [
    `Made of ${sources.join(", ")}, which begins at ${new Date(originMs).toISOString()}.`,
    "Times are by the calendar of the first of them. What is approximated:",
    "- delays, losses and the order of messages are those of the simulated network, not those that were;",
    "- everybody trusts everybody from the start, and dials by address;",
    "- links that were lost with a device are lost by its power, others by a cut between the two that saw it;",
    ...(unrecorded.length === 0
      ? []
      : [`- of ${unrecorded.join(", ")} there is no recording: what befell them is what others saw of them;`]),
    ...limits.map((limit) => `- ${limit};`)
  ]
  const expectations = seen.slice(0, SEEN_MAX).flatMap((one) => expectation(one, names))
  return [
    modeline(schema),
    `scenario: ${JSON.stringify(title)}`,
    "about: |",
    ...about.map((line) => `  ${line}`),
    "",
    "seed: 1",
    `lasts: ${ms(endMs + AFTER_MS)}`,
    "",
    `profile: ${profile}`,
    ...(electors.length === 0 ? [] : [`electors: [${electors.map((id) => names.get(id)!).join(", ")}]`]),
    "",
    "nodes:",
    ...devices.map((device) => `  ${names.get(device.id)!}: { ${nodeLine(device)} }`),
    "",
    "network: { delay: 1ms..20ms, links: everyone }",
    "",
    "timeline:",
    ...steps.map(({ text }) => text),
    "",
    "expect:",
    ...expectations,
    "  - name: one leader at most",
    "    always: { leaders: at most 1 }",
    ""
  ].join("\n")
}
