import { assert, describe, it } from "@effect/vitest"
import { profiles } from "../../../kernel/Profile.ts"
import { peers, peerState, status } from "../../../kernel/status/Status.ts"
import { shortOf } from "../../../kernel/proposals/Proposal.ts"
import { frameOf, intentOf, proposed } from "../proposals/facts.ts"
import { Drive, framesTo, id, three } from "../drive.ts"
import { Mesh } from "../mesh.ts"

const { promiseMs } = profiles.lan
const statusOf = (drive: Drive) => status(drive.node, drive.mono)
const peerOf = (drive: Drive, name: string) =>
  peers(drive.node, drive.mono).find(({ deviceId }) => deviceId === id(name))!

describe("status (B26, S11)", () => {
  it("of a node that knows nobody yet: unknown, not down; no leader, no lease", () => {
    const drive = Drive.up(three, "a", { mono: 500 })
    drive.mono = 1_500
    assert.deepStrictEqual(statusOf(drive), {
      localDeviceId: id("a"),
      displayName: "a",
      role: "planner",
      incarnation: 1,
      uptimeMs: 1_000,
      connectedPeers: 0,
      isolated: false,
      peers: (["b", "c"] as const).map((name) => ({
        deviceId: id(name),
        role: three.roles[name]!,
        state: "unknown" as const,
        sinceMs: 1_500,
        incarnation: 0,
        outbound: false,
        linked: false
      })),
      plannerActivity: {
        state: "provisional",
        role: "planner",
        leader: { kind: "none" },
        shouldHandleAutonomous: false
      },
      term: 0,
      leaseMs: 0,
      refusals: {}
    })
  })

  it("names direction, incarnation and age of what it knows of a peer", () => {
    const drive = Drive.up(three, "a")
    drive.meet("b", { incarnation: 4 })
    drive.reach("c")
    drive.mono += 250
    assert.deepInclude(peerOf(drive, "b"), { state: "up", linked: true, outbound: false, incarnation: 4 })
    assert.deepInclude(peerOf(drive, "c"), { state: "up", linked: true, outbound: true, sinceMs: 250, link: 2 })
    assert.strictEqual(statusOf(drive).connectedPeers, 2)
    assert.strictEqual(peerState(drive.node, id("c")), "up")
    assert.strictEqual(peerState(drive.node, id("f")), "unknown")
  })

  it("B32: names what waits for a person, by its whole id, with whose it is", () => {
    const drive = Drive.up({ roles: { c: "field", a: "field", b: "planner" }, dialled: "" }, "c")
    const { link } = drive.meet("b")
    assert.isUndefined(statusOf(drive).pendingProposals)
    drive.hear(link, "context.frame", frameOf("b", 1, proposed()))
    assert.deepStrictEqual(statusOf(drive).pendingProposals, [
      {
        taskId: intentOf(),
        summary: `${shortOf(intentOf())}: pump open for 5 s`,
        approvalLevel: "L2",
        status: "awaiting_approval",
        plannerDeviceId: id("b"),
        plannerRole: "planner",
        plannerOwner: id("b")
      }
    ])
    drive.hear(link, "context.frame", frameOf("b", 2, { fact: "reject", id: intentOf(), by: "asha" }))
    assert.isUndefined(statusOf(drive).pendingProposals)
  })

  it("B2, B3: shows who has a peer as down, and that one witness does not confirm it", () => {
    const mesh = Mesh.settled({ roles: { a: "field", b: "field", c: "field" } })
    mesh.crash("c", { silent: true })
    mesh.pass(5_000)
    assert.deepInclude(peerOf(mesh.node("a"), "c"), {
      state: "down",
      witnesses: [id("a"), id("b")],
      confirmed: true,
      linked: false
    })
    assert.notProperty(peerOf(mesh.node("a"), "b"), "witnesses")
    assert.isFalse(statusOf(mesh.node("a")).isolated)
    mesh.cut("a", "b")
    mesh.pass(5_000)
    assert.deepInclude(peerOf(mesh.node("a"), "b"), { state: "down", witnesses: [id("a")], confirmed: false })
    assert.isTrue(statusOf(mesh.node("a")).isolated, "everybody is down: it says that it may be itself")
    assert.lengthOf(
      mesh.events("a").filter((event) => event === "node.isolated"),
      1,
      "and tells so, once"
    )
    mesh.rejoin()
    mesh.pass(20_000)
    assert.isFalse(statusOf(mesh.node("a")).isolated)
  })

  it("B3: shows its own stalls, the last one with its length and age", () => {
    const drive = Drive.up(three, "a")
    drive.meet("b")
    assert.notProperty(statusOf(drive), "stalls")
    drive.ring(400)
    drive.feed({ _tag: "Stalled", ms: 900 })
    drive.mono += 50
    assert.deepStrictEqual(statusOf(drive).stalls, { count: 2, lastMs: 900, agoMs: 50 })
  })

  it("P3.10: shows a lasting refusal, until the peer is let in", () => {
    const drive = Drive.up(three, "a")
    while (drive.contact("b").attempt === null) drive.ring()
    const link = drive.nextLink()
    drive.linkUp(drive.contact("b").attempt, link)
    drive.answerChallenge(link)
    const error = { code: "UNTRUSTED_PEER", message: "no" }
    drive.receive(link, { type: "res", id: "connect", ok: false, error })
    assert.strictEqual(peerOf(drive, "b").refused, "UNTRUSTED_PEER")
    drive.meet("b")
    assert.notProperty(peerOf(drive, "b"), "refused")
  })

  it("P4.7: counts refusals by code, only those that happened", () => {
    const drive = Drive.up(three, "a")
    drive.meet("f")
    drive.meet("f")
    drive.meet("b", { instead: { signature: "forged" } })
    assert.deepStrictEqual(statusOf(drive).refusals, { UNTRUSTED_PEER: 2, AUTH_FAILED: 1 })
  })

  it("B24: a follower names the leader for one promise since its last heartbeat, and then nobody", () => {
    const drive = Drive.up(three, "b")
    const { link } = drive.meet("a")
    drive.hear(link, "mesh.lead", { term: { manifest: 1, counter: 4 }, beat: 1 })
    assert.deepStrictEqual(statusOf(drive).plannerActivity, {
      state: "standby",
      role: "standby-planner",
      leader: { kind: "peer", deviceId: id("a"), role: "planner" },
      shouldHandleAutonomous: false
    })
    assert.strictEqual(statusOf(drive).term, 4)
    drive.mono += promiseMs
    assert.deepStrictEqual(statusOf(drive).plannerActivity.leader, { kind: "none" })
  })

  it("B24, S1: whoever says it may act has a lease, and says for how long; the others name it", () => {
    const mesh = Mesh.settled(three)
    const leader = statusOf(mesh.node("a"))
    assert.deepStrictEqual(leader.plannerActivity, {
      state: "active",
      role: "planner",
      leader: { kind: "local", deviceId: id("a"), role: "planner" },
      shouldHandleAutonomous: true
    })
    assert.isTrue(leader.leaseMs > 0 && leader.leaseMs <= profiles.lan.leaseMs)
    for (const name of ["b", "c"]) {
      const { leaseMs, plannerActivity } = statusOf(mesh.node(name))
      assert.strictEqual(plannerActivity.leader.deviceId, id("a"))
      assert.isFalse(plannerActivity.shouldHandleAutonomous)
      assert.strictEqual(leaseMs, 0)
    }
  })

  it("S11: asked after the lease ran out, before any alarm rang, it says so", () => {
    const mesh = Mesh.settled(three)
    const drive = mesh.node("a")
    drive.mono += profiles.lan.leaseMs
    const { leaseMs, plannerActivity } = statusOf(drive)
    assert.strictEqual(leaseMs, 0)
    assert.strictEqual(plannerActivity.state, "provisional")
    assert.isFalse(plannerActivity.shouldHandleAutonomous)
  })
})

describe("answers", () => {
  const ask = (method: "mesh.status" | "mesh.peers"): unknown => {
    const drive = Drive.up(three, "a")
    const { link } = drive.meet("b")
    const [frame] = framesTo(drive.receive(link, { type: "req", id: "7", method, params: {} }), link)
    assert.isTrue(frame?.type === "res" && frame.ok)
    return frame?.type === "res" && frame.ok ? { of: drive, payload: frame.payload } : null
  }

  it("mesh.status and mesh.peers say what the node itself would say", () => {
    const whole = ask("mesh.status") as { of: Drive; payload: unknown }
    assert.deepStrictEqual(whole.payload, statusOf(whole.of))
    const list = ask("mesh.peers") as { of: Drive; payload: unknown }
    assert.deepStrictEqual(list.payload, { peers: peers(list.of.node, list.of.mono) })
  })

  it("are plain JSON: nothing is lost on the wire", () => {
    for (const method of ["mesh.status", "mesh.peers"] as const) {
      const { payload } = ask(method) as { payload: unknown }
      assert.deepStrictEqual(JSON.parse(JSON.stringify(payload)), payload)
    }
  })
})
