/** Readings through the rules of a standby planner, which watches as a leader does and proposes nothing: the engine alone. */
import * as Node from "../../kernel/Node.ts"
import * as Planning from "../../kernel/planning/Planning.ts"
import type { Rule } from "../../kernel/planning/Rule.ts"
import { profiles } from "../../kernel/Profile.ts"
import type { Turn } from "../../kernel/Turn.ts"
import type { Held } from "../../kernel/world/Log.ts"

const ZONES = 1_000
const READINGS = 1_000_000
const SOURCE = "a".repeat(64)

const rules = Array.from({ length: ZONES }, (_, index): Rule => ({
  name: `dry-${index}`,
  metric: "moisture",
  zone: `zone-${index}`,
  when: { below: 20 },
  clear: 25,
  then: { actuator: `actuator:valve-${index}`, state: "open", forMs: 60_000 },
  cooldownMs: 600_000,
  tier: "T2_operational_observation",
  priority: 0
}))

const config = {
  seed: 1,
  deviceId: "f".repeat(64),
  publicKey: "us",
  displayName: "us",
  role: "standby-planner",
  capabilities: [],
  meshId: "mesh",
  meshKey: "key",
  profile: profiles.lan,
  trusted: [],
  manifest: { version: 1, electors: [SOURCE] },
  rules
} as const

/** Now below the threshold, now between the two, now clear. */
const VALUES = [17, 22, 31]

const heldOf = (index: number): Held => ({
  frame: {
    gen: 1,
    kind: "observation",
    frameId: `frame-${index}`,
    sourceDeviceId: SOURCE,
    timestamp: index,
    data: { zone: `zone-${index % ZONES}`, metric: "moisture", value: VALUES[Math.floor(index / ZONES) % 3]! },
    trust: { evidence_sources: ["sensor"], evidence_trust_tier: "T2_operational_observation" },
    hops: 0
  },
  incarnation: 1,
  seq: index + 1,
  bytes: 300,
  bornAt: index,
  nth: index,
  evidence: true,
  kept: false
})

/** Readings a second. */
export const judged = (): number => {
  const node = Node.make(config)
  const known = { config, links: node.links, membership: node.membership, world: node.world }
  const readings = Array.from({ length: 3 * ZONES }, (_, index) => heldOf(index))
  let planning = Planning.make(rules)
  let changed = 0
  const judge = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const at = { mono: i, wall: i }
      const turn: Partial<Turn> = { at, config, readings: [readings[i % readings.length]!], out: [], said: [] }
      const before = planning
      planning = Planning.onTurn(planning, { _tag: "Woke", at }, false, known, node.leadership, turn as Turn)
      if (planning !== before) changed++
    }
  }
  judge(READINGS / 10)
  changed = 0
  const begun = performance.now()
  judge(READINGS)
  const seconds = (performance.now() - begun) / 1_000
  // Two of three change something: it is breached, it still is, it is clear.
  if (changed < READINGS / 2) throw new Error(`only ${changed} of ${READINGS} readings changed anything`)
  return READINGS / seconds
}
