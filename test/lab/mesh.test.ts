/**
 * Real daemons, one a host, that know each other by mDNS alone, through what happens to networks and clocks in a barn.
 *
 * Each test has a farm of its own, because a peer that was lost twice is on probation for half a minute. They run some at a
 * time: most of a test is waiting.
 */
import { assert, describe, it } from "@effect/vitest"
import { type Event, type EventName, rivals } from "./Diary.ts"
import { Farm } from "./Farm.ts"
import { delay, until } from "./Segment.ts"

const three = { a: "planner", b: "standby-planner", c: "field" } as const
const names = Object.keys(three)
const LIMIT_MS = 150_000

/** What happens to peers and connections when something is wrong with one of them. */
const troubles: ReadonlyArray<EventName> = [
  "peer.suspect",
  "peer.down",
  "peer.down.confirmed",
  "peer.left",
  "peer.disconnect",
  "connection.refused"
]

/** Of a mesh to which nothing happens there are none of these (B6). A lease may run out and be renewed on a busy machine. */
const changes: ReadonlyArray<EventName> = [
  ...troubles,
  "peer.up",
  "peer.connect",
  "node.started",
  "leader.stepped-down"
]

const others = (name: string): ReadonlyArray<string> => names.filter((other) => other !== name)

const at = (farm: Farm, name: string) => farm.until(name, "answers", () => true)

/** Waits until all of `by` have `about` as down. */
const down = (farm: Farm, about: string, by: ReadonlyArray<string>) =>
  Promise.all(
    by.map((name) => farm.until(name, `has ${about} as down`, (status) => farm.peer(status, about)?.state === "down"))
  )

/** Waits until exactly this has been told of a kind: a status may show it a moment before it is logged. */
const told = (farm: Farm, kind: EventName, all: ReadonlyArray<string>) =>
  until(
    `told: ${all.join("; ")}`,
    10_000,
    () => farm.told(kind).join() === all.join(),
    () => farm.told(...troubles).join("\n")
  )

const first = (events: ReadonlyArray<Event>, event: EventName, about: string): number =>
  events.find((other) => other.event === event && other.about === about)?.atMs ?? Number.NaN

describe.concurrent("daemons on a network", () => {
  it(
    "20 % of all packets lost, everywhere: for a minute nobody is called down, and nobody leads beside another (B6, S1)",
    async () => {
      await using farm = await Farm.formed(three)
      for (const name of names) farm.drop(name, "numgen random mod 100 < 20")
      await delay(60_000)
      for (const name of names) assert.isAbove(farm.dropped(name), 30)
      assert.deepStrictEqual(farm.told("peer.down", "peer.down.confirmed", "peer.left"), [])
      assert.deepStrictEqual(rivals(farm.reigns()), [])
      for (const name of names) farm.drop(name, null)
      await farm.well(...names)
    },
    LIMIT_MS
  )

  it(
    "list strangers and dial nobody until an operator trusts; then form a mesh (B10, B15, B16, B17, L5)",
    async () => {
      await using farm = await Farm.make({ ...three, d: "viewer" })
      await farm.start(...farm.names)
      for (const name of farm.names)
        await farm.until(name, "lists the three others", ({ peers, strangers }) => {
          const listed = strangers.map((stranger) => stranger.name).sort()
          return peers.length === 0 && listed.join("") === "abcd".replace(name, "")
        })
      await delay(2_000)
      assert.deepStrictEqual(farm.told("peer.dial", "peer.connect", "connection.refused"), [])

      for (const by of names)
        for (const name of others(by))
          farm.clawmesh(
            by,
            "trust",
            "add",
            farm.member(name).deviceId,
            "--role",
            farm.member(name).role,
            "--name",
            name
          )
      await farm.well(...names)
      for (const name of names) {
        const { peers, strangers } = await at(farm, name)
        for (const { configured, link, name: peer } of peers) {
          assert.deepInclude(link, { label: "mdns", security: "tls-pinned", remote: "private" })
          assert.include(link?.address, `${farm.member(peer ?? "").address}:`)
          assert.isNull(configured)
        }
        assert.sameMembers(
          peers.map((peer) => peer.name),
          [...others(name)]
        )
        const { address, deviceId } = farm.member("d")
        assert.deepStrictEqual(strangers, [{ id: deviceId, name: "d", addresses: [`${address}:18789`] }])
      }
      assert.deepStrictEqual(
        farm.events().filter(({ about, by }) => (about === "d") !== (by === "d")),
        []
      )
    },
    LIMIT_MS
  )

  it(
    "a link that goes down takes its node alone out of the mesh; it is back once the link is (B2, B3, B4)",
    async () => {
      await using farm = await Farm.formed(three)
      const { host } = farm.member("c")
      const before = await at(farm, "a")
      host.ip("link", "set", "eth0", "down")
      await down(farm, "c", ["a", "b"])
      await down(farm, "a", ["c"])
      const confirmed = ["a peer.down.confirmed c", "b peer.down.confirmed c"]
      await told(farm, "peer.down.confirmed", confirmed)
      const events = farm.events()
      assert.isAtMost(first(events, "peer.suspect", "c"), first(events, "peer.down", "c"), "suspected first")
      const apart = events.filter(({ about, by, event }) => by !== "c" && about !== "c" && troubles.includes(event))
      assert.deepStrictEqual(apart, [], "between the others all is well")

      await farm.mark()
      host.ip("link", "set", "eth0", "up")
      assert.strictEqual(await farm.well(...names), before.leader?.name)
      await farm.quiet()
      const back = farm.events({ by: ["a", "b"] })
      assert.isAtMost(
        first(back, "peer.connect", "c"),
        first(back, "peer.up", "c"),
        "up by a handshake, not by a record"
      )
      const after = await at(farm, "a")
      assert.strictEqual(after.term, before.term)
      assert.strictEqual(farm.peer(after, "c")?.incarnation, farm.peer(before, "c")?.incarnation)
      assert.deepStrictEqual(farm.told("node.started", "peer.left"), [])
    },
    LIMIT_MS
  )

  it.each([
    ["at once", 0],
    ["after it had none for a while", 1_500]
  ])(
    "a host that gets another address, %s, is found there (A27, B4)",
    async (_, gapMs) => {
      await using farm = await Farm.formed(three)
      const { host } = farm.member("c")
      host.ip("address", "flush", "dev", "eth0")
      await delay(gapMs)
      host.ip("address", "add", "10.77.0.103/24", "dev", "eth0")
      for (const name of ["a", "b"])
        await farm.until(name, "has c up at its new address alone", (status) => {
          const peer = farm.peer(status, "c")
          const address = peer?.link?.address ?? ""
          const dialled = peer?.dialling.addresses.join()
          return peer?.state === "up" && address.startsWith("10.77.0.103:") && dialled === "10.77.0.103:18789"
        })
      await farm.well(...names)
      assert.deepStrictEqual(farm.told("node.started", "peer.left", "connection.refused"), [])
      assert.deepStrictEqual(rivals(farm.reigns()), [])
    },
    LIMIT_MS
  )

  it(
    "a leader that hears nobody stops leading before another one starts, and follows when it hears again (B3, S1, L3)",
    async () => {
      await using farm = await Farm.formed(three)
      const before = await at(farm, "a")
      const deaf = before.leader?.name ?? ""
      farm.drop(deaf, "")
      await down(farm, deaf, others(deaf))
      for (const name of others(deaf))
        await farm.until(name, "names another leader, in a higher term", ({ leader, term }) => {
          return leader !== null && leader.name !== deaf && term > before.term
        })
      await farm.until(deaf, "leads no more", ({ activity }) => activity !== "active")
      assert.isAbove(farm.dropped(deaf), 0)
      const confirmed = others(deaf).map((name) => `${name} peer.down.confirmed ${deaf}`)
      await told(farm, "peer.down.confirmed", confirmed)

      farm.drop(deaf, null)
      const leader = await farm.well(...names)
      assert.notStrictEqual(leader, deaf)
      await farm.until(deaf, "stands by", ({ activity }) => activity === "standby")
      await farm.quiet()
      assert.isAbove(farm.reigns().length, 1)
      assert.deepStrictEqual(rivals(farm.reigns()), [])
    },
    LIMIT_MS
  )

  it(
    "packets late, out of order and twice: the mesh forms, and every session stays the one that it was (B6, L5)",
    async () => {
      await using farm = await Farm.formed(three, {
        badness: { delayMs: 40, jitterMs: 30, reordered: 200, duplicated: 300 }
      })
      const start = await farm.tap.count()
      const before = await at(farm, "a")
      await delay(20_000)
      const end = await farm.tap.count()
      assert.isAbove(end.overtaken - start.overtaken, 100)
      assert.isAbove(end.duplicated - start.duplicated, 100)
      assert.deepStrictEqual(farm.told(...changes), [])
      const after = await at(farm, "a")
      assert.deepStrictEqual([after.leader?.name, after.term], [before.leader?.name, before.term])
      assert.deepStrictEqual(after.refusals, before.refusals)
      for (const { rttMs } of after.peers) assert.isAbove(rttMs ?? 0, 20)
    },
    LIMIT_MS
  )

  it(
    "a calendar set back, set forward, and a boot in 1970 end no session and no term",
    async () => {
      await using farm = await Farm.formed(three, { clock: "+0" })
      const leader = await farm.well(...names)
      const other = leader === "c" ? "a" : "c"
      const before = await at(farm, leader)
      for (const [says, hours] of [
        ["-3600", -1],
        ["+86400", 24]
      ] as const) {
        farm.setClock(leader, says)
        await delay(4_000)
        const { at: shown } = await at(farm, leader)
        assert.closeTo(Date.parse(shown) - Date.now(), hours * 3_600_000, 60_000)
      }
      assert.deepStrictEqual(farm.told(...changes), [])
      const after = await at(farm, leader)
      assert.strictEqual(after.term, before.term)
      assert.isAtLeast(after.node.uptimeMs - before.node.uptimeMs, 8_000)
      assert.isAtMost(after.node.uptimeMs - before.node.uptimeMs, 60_000)

      await farm.end(other, "SIGTERM")
      farm.setClock(other, String(10 - Math.floor(Date.now() / 1_000)))
      await farm.start(other)
      assert.strictEqual(await farm.well(...names), leader)
      const young = await at(farm, other)
      assert.match(young.at, /^1970-01-01T00:/u)
      assert.strictEqual(young.term, before.term)
    },
    LIMIT_MS
  )
})
