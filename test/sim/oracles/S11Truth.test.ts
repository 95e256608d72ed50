/** S11 fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { assert, describe, it } from "@effect/vitest"
import { indexOfLink } from "../../../kernel/links/Link.ts"
import * as Node from "../../../kernel/Node.ts"
import type { Kernel } from "../../../sim/engine/Host.ts"
import { broken, brokenAfter, fires, scenarioOf, watch } from "./Broken.ts"

const mesh = (timeline: string, links = "everyone", lasts = "60s"): ReturnType<typeof scenarioOf> =>
  scenarioOf(`
scenario: A planner and two witnesses
seed: 7
lasts: ${lasts}
profile: lan
electors: [main, left, right]
nodes:
  left:  { role: field }
  main:  { role: planner }
  right: { role: field }
network: { delay: 2ms..20ms, links: ${links} }
timeline:
  - { at: 0s, start: everyone }
${timeline}`)

/** Whoever was once up is up for ever. */
const optimist = brokenAfter((after) => {
  const { members } = after.membership
  if (members.every(({ state }) => state === "up" || state === "unknown")) return after
  const up = members.map((member) => (member.state === "unknown" ? member : { ...member, state: "up" as const }))
  return { ...after, membership: { ...after.membership, members: up } }
})

/** Nodes that wait for a thousand missed probes before they think anything of it. */
const patient: Kernel = {
  make: (config) =>
    Node.make({
      ...config,
      profile: {
        ...config.profile,
        missesToBad: 1_000,
        missesToBadFewObservers: 1_000,
        missesOfTenToBad: 1_000,
        missesToTerminate: 1_000
      }
    }),
  step: Node.step
}

const crash = mesh(`
  - { at: 10s, crash: right }`)
const freeze = mesh(`
  - { at: 10s, freeze: right, for: 60s }`)

describe("S11: a peer is not up that has been silent for longer than the bound", () => {
  it("over a link of one's own", () => {
    const silent = /^(left|main) says that right is up, which has been silent for 1[5-8]\.\d s$/u
    fires("S11", silent, freeze, patient)
  })

  it("nor without one, without power or frozen", () => {
    const silent = /^(left|main) says that right is up, which has been silent for 4\d\.\d s$/u
    fires("S11", silent, crash, optimist)
    fires("S11", silent, freeze, optimist)
  })

  it("but may be a moment long, when everybody stood still meanwhile and nobody looked", () => {
    // At some of these moments the first look after all is at a node that is about to take up what it missed.
    for (let ms = 0; ms < 400; ms += 7) {
      const { violations } = watch(
        mesh(`
  - { at: 10s, freeze: right, for: 49s }
  - { at: ${10_100 + ms}ms, freeze: [left, main], for: 40s }`)
      )
      assert.deepStrictEqual(violations, [], `frozen at ${10_100 + ms} ms`)
    }
  })

  it("not by hearsay either, once nobody is left to tell", () => {
    // What was said of those that one cannot see oneself stands when the witness is gone.
    const stale = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      const members = after.membership.members.map((member, n) =>
        !member.wasGood && node.membership.members[n]?.state === "up" && member.state !== "up"
          ? { ...member, state: "up" as const }
          : member
      )
      return [{ ...after, membership: { ...after.membership, members } }, commands]
    })
    const line = mesh(
      `
  - { at: 10s, crash: main }
  - { at: 11s, crash: right }`,
      "line",
      "90s"
    )
    fires("S11", /^left says that right is up, which has been silent for [45]\d\.\d s$/u, line, stale)
  })
})

describe("S11: linked is who has a connection", () => {
  it("that is there", () => {
    const keeps = brokenAfter((after, before, input) =>
      input._tag === "LinkDown" && before.links.links[indexOfLink(before.links.links, input.link)]?._tag === "Session"
        ? { ...after, links: before.links }
        : after
    )
    fires(
      "S11",
      /^(left|main) says that it is linked over connection \d+, which is gone$/u,
      mesh(`
  - { at: 10s, restart: right }
  - { at: 10001ms, partition: [[left, main], [right]] }`),
      keeps
    )
  })

  it("and not for ever to a process that has ended", () => {
    const ended = /^(left|main) says that it is linked with right, whose process ended 1[5-8]\.\d s ago$/u
    fires("S11", ended, crash, patient)
  })
})

describe("S11: the leader that is named holds a lease", () => {
  it("or did, a promise ago", () => {
    const loyal = brokenAfter((after, _before, input) =>
      after.leadership.leader === null || after.config.role === "planner"
        ? after
        : { ...after, leadership: { ...after.leadership, heardAt: input.at.mono } }
    )
    fires(
      "S11",
      /^(left|right) names main as leader, whose lease ended \d\.\d s ago$/u,
      mesh(`
  - { at: 10s, crash: main }`),
      loyal
    )
  })

  it("a leader without a majority does not go on being named by those whom it reaches", () => {
    // It never steps down: it has only just begun to try.
    const stubborn = brokenAfter((after, _before, input) => {
      const { standing } = after.leadership
      return standing._tag === "Leading" && standing.tryingSince !== input.at.mono
        ? { ...after, leadership: { ...after.leadership, standing: { ...standing, tryingSince: input.at.mono } } }
        : after
    })
    const minority = scenarioOf(`
scenario: A leader among viewers
seed: 7
lasts: 40s
profile: lan
electors: [main, left, right]
nodes:
  kiosk: { role: viewer }
  left:  { role: field }
  main:  { role: planner }
  right: { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
  - { at: 0s, start: everyone }
  - { at: 10s, partition: [[main, kiosk], [left, right]] }`)
    fires("S11", /^kiosk names main as leader, whose lease ended [56]\.\d s ago$/u, minority, stubborn)
  })
})

describe("S11: a lease is what a majority gave", () => {
  it("and no ms longer", () => {
    const generous = brokenAfter((after, before) => {
      const { standing } = after.leadership
      const was = before.leadership.standing
      if (standing._tag !== "Leading" || was._tag !== "Leading" || standing.leaseUntil === was.leaseUntil) return after
      return {
        ...after,
        leadership: { ...after.leadership, standing: { ...standing, leaseUntil: standing.leaseUntil + 1 } }
      }
    })
    fires(
      "S11",
      /^main says that it holds a lease of term 1 for 1 ms more than a majority gave it$/u,
      mesh(""),
      generous
    )
  })

  it("nor by the word of one alone", () => {
    const alone = brokenAfter((after, _before, input) => {
      const { standing } = after.leadership
      if (standing._tag !== "Leading" || standing.leaseUntil > 0) return after
      const leaseUntil = input.at.mono + after.config.profile.leaseMs
      return { ...after, leadership: { ...after.leadership, standing: { ...standing, leaseUntil } } }
    })
    fires(
      "S11",
      /^main says that it holds a lease of term 1 for \d{5,} ms more than a majority gave it$/u,
      mesh(""),
      alone
    )
  })
})
