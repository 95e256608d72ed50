/**
 * K8: a planner that proposes by rule leads, and has a reason for it that holds (B24, B42; PROTOCOL.md part 18): a sensor that it names
 * has said something that breaches the rule, lately; and it does not ask again before the rule's time, nor at another one of the day.
 *
 * What was said is the world's to know: what each device was given to sense. How old a reading is nodes judge by clocks that err, so that
 * some more is allowed here. Does not judge: that a breach sets anything going (the scenarios do), nor whether an older planner has asked.
 */
import type { Command } from "../../kernel/Command.ts"
import { leaseRuns } from "../../kernel/leadership/Leadership.ts"
import type { Rule } from "../../kernel/planning/Rule.ts"
import type { MakeOracle, Observation, Oracle } from "./Oracle.ts"
import { hear, type Sensors } from "./Sensed.ts"

/** Three missed intervals are fresh, by a clock that runs 30 % slow, and a while under way. */
const latelyMs = (intervalMs: number): number => (3 * intervalMs) / 0.7 + 60_000
/** Two clocks 30 % apart. */
const SLOW = 0.7

interface Memory {
  readonly sensors: Sensors
  /** When each process asked last by each rule, and how often its key had failed by then: what it did not sign nobody has heard. */
  readonly asked: Map<string, { readonly atMs: number; readonly keyFailures: number }>
}

/** Between threshold and clear it may be breached still. */
const mayBreach = ({ clear, when }: Rule, value: number): boolean =>
  "below" in when ? value < Math.max(when.below, clear) : value > Math.min(when.above, clear)

const DAY_MS = 86_400_000
/** Of a rule with times of the day, by the calendar of whoever asks: five minutes from each on. */
const isTime = ({ daily }: Rule, wallMs: number): boolean =>
  daily === undefined || daily.some((time) => (wallMs + DAY_MS - time) % DAY_MS < 300_000)

/** It proposes by a rule, or has its language model asked by one. */
const ASKS: ReadonlySet<string> = new Set(["planner.triggered", "planner.asked"])
const isFailure = (command: Command): boolean => command._tag === "Note" && command.event.event === "planner.failed"

export const rules: MakeOracle = () => remembering({ sensors: new Map(), asked: new Map() })

const remembering = ({ asked, sensors }: Memory): Oracle => {
  const wrong = (
    { after, input, machine, nowMs }: Observation,
    rule: Rule | undefined,
    source: string | undefined
  ): string | null => {
    if (rule === undefined) return "asks by a rule that it does not have"
    if (!isTime(rule, input.at.wall)) return `asks by ${rule.name} at another time of the day`
    if (!leaseRuns(after.leadership, input.at.mono)) return `asks by ${rule.name}, and does not lead`
    const isFounded = [...sensors.values()].some(
      ({ deviceId, metric, said, zone }) =>
        deviceId === source &&
        metric === rule.metric &&
        zone === rule.zone &&
        said.some(({ atMs, intervalMs, value }) => nowMs - atMs <= latelyMs(intervalMs) && mayBreach(rule, value))
    )
    if (!isFounded) return `asks by ${rule.name}, and nothing that was sensed lately is a reason`
    const key = `${machine.index}/${machine.process}/${rule.name}`
    const before = asked.get(key)
    asked.set(key, { atMs: nowMs, keyFailures: machine.keyFailures })
    return before !== undefined &&
      before.keyFailures === machine.keyFailures &&
      nowMs - before.atMs < SLOW * rule.cooldownMs
      ? `asks by ${rule.name} again, ${nowMs - before.atMs} ms after it did`
      : null
  }

  return {
    id: "K8",
    fork: () => remembering({ sensors: new Map(sensors), asked: new Map(asked) }),
    stepped: (seen) => {
      const { commands, machine } = seen
      if (machine.world.rules.length === 0) return null
      hear(sensors, seen)
      // A language model that failed may be asked again soon.
      if (commands.some(isFailure))
        for (const { name } of machine.config.rules ?? []) asked.delete(`${machine.index}/${machine.process}/${name}`)
      for (const command of commands) {
        if (command._tag !== "Note" || !ASKS.has(command.event.event)) continue
        const { about, reason } = command.event
        const why = wrong(
          seen,
          machine.config.rules?.find(({ name }) => name === reason),
          about
        )
        if (why !== null) return `${machine.name} ${why}`
      }
      return null
    }
  }
}
