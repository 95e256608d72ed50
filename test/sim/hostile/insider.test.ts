/** A trusted device that has logged in well and turns on the mesh (P3.1, P4, P6.3, P7.7, P8.1; S1, S6). */
import { assert, describe, it } from "@effect/vitest"
import { ANSWERED_TERM_LEAP_MAX } from "../../../kernel/Profile.ts"
import type { Line } from "../../../sim/network/Stranger.ts"
import {
  allIsWell,
  asMallory,
  besiege,
  closedWith,
  difference,
  SETTLED_MS,
  statusOf,
  type Siege,
  type SiegeOptions
} from "./Siege.ts"

const QUIET_MS = 1_000

type Act = (line: Line, siege: Siege) => void

/** mallory logs in at this node, is quiet for a second, and then acts. */
const insider = (at: string, act: Act, options: SiegeOptions = {}) => {
  let line!: Line
  const siege = besiege((s) => {
    line = asMallory(s, at, {}, (here) => s.mallory.at(s.world.nowMs + QUIET_MS, () => act(here, s)))
  }, options)
  assert.isAbove(line.heard.length, 1, "it was let in")
  return { line, siege }
}

const honest = new Map<string, Siege>()
/** The same with a mallory that stays quiet. */
const honestly = (at: string, options: SiegeOptions): Siege => {
  const key = `${at}/${options.untilMs}/${options.electors}`
  const siege = honest.get(key) ?? insider(at, () => {}, options).siege
  honest.set(key, siege)
  return siege
}

const nobodyElseNotices = (siege: Siege, at: string, options: SiegeOptions = {}): void => {
  allIsWell(siege)
  const others = ["main", "backup", "field"].filter((name) => name !== at)
  for (const name of others) assert.isNull(difference(siege, honestly(at, options), name))
}

const TERM = { manifest: 1, counter: 1 }
const NEXT = { manifest: 1, counter: 2 }
const LAST = { manifest: 2 ** 48, counter: 2 ** 48 }

const raw =
  (text: string): Act =>
  (line) =>
    line.raw(text)
const tell =
  (event: Parameters<Line["tell"]>[0], payload: (siege: Siege) => unknown): Act =>
  (line, siege) =>
    line.tell(event, payload(siege))

interface Case {
  readonly title: string
  readonly act: Act
  /** What is counted for it; `null`: it is no offence, and changes nothing. */
  readonly counted: string | null
  readonly answered?: boolean
}

const row = (observer: string, edges: ReadonlyArray<unknown>) => ({ observer, incarnation: 1, version: 2 ** 48, edges })

const cases: ReadonlyArray<Case> = [
  { title: "garbage", act: raw("garbage"), counted: "INVALID_JSON" },
  { title: "nesting beyond the bound", act: raw("[".repeat(100_000)), counted: "INVALID_JSON" },
  {
    title: "an event of null",
    act: raw(`{"type":"event","event":"mesh.heartbeat","payload":null}`),
    counted: "INVALID_PARAMS"
  },
  {
    title: "a term beyond the bound",
    act: tell("mesh.lead", () => ({ term: { manifest: 1, counter: 2 ** 53 - 1 }, beat: 1 })),
    counted: "INVALID_PARAMS"
  },
  {
    title: "a request of null",
    act: raw(`{"type":"req","id":"1","method":"mesh.status","params":null}`),
    counted: "INVALID_PARAMS",
    answered: true
  },
  {
    title: "an unknown method",
    act: (line) => line.ask("1", "mesh.takeover"),
    counted: "UNKNOWN_METHOD",
    answered: true
  },
  { title: "an unknown event", act: raw(`{"type":"event","event":"mesh.coup","payload":null}`), counted: null },
  { title: "an answer to nothing", act: raw(`{"type":"res","id":"connect","ok":true,"payload":{}}`), counted: null },
  {
    title: "a challenge after the handshake",
    act: (line) => line.ask("1", "mesh.challenge"),
    counted: "NOT_AUTHORIZED",
    answered: true
  },
  {
    title: "a second login",
    act: (line, { field, mallory }) =>
      line.ask("1", "mesh.connect", mallory.login(mallory.claim(), field.config.deviceId, "nonce", 0)),
    counted: "NOT_AUTHORIZED",
    answered: true
  },
  {
    title: "mesh.lead by a field node",
    act: tell("mesh.lead", () => ({ term: NEXT, beat: 1 })),
    counted: "NOT_AUTHORIZED"
  },
  {
    title: "mesh.lead by the same in the last of terms",
    act: tell("mesh.lead", () => ({ term: LAST, beat: 1 })),
    counted: "INVALID_PARAMS"
  },
  {
    title: "mesh.release of the last of terms",
    act: tell("mesh.release", () => ({ term: LAST })),
    counted: "INVALID_PARAMS"
  },
  {
    title: "mesh.vote by somebody who elects nobody",
    act: tell("mesh.vote", () => ({ term: NEXT })),
    counted: "NOT_AUTHORIZED"
  },
  { title: "mesh.prevote by the same", act: tell("mesh.prevote", () => ({ term: NEXT })), counted: "NOT_AUTHORIZED" },
  {
    title: "a vote never asked for",
    act: tell("mesh.vote.answer", () => ({ term: NEXT, granted: true })),
    counted: "NOT_AUTHORIZED"
  },
  {
    title: "a refused vote with the last of terms",
    act: tell("mesh.vote.answer", () => ({ term: LAST, granted: false })),
    counted: "NOT_AUTHORIZED"
  },
  {
    title: "a refused prevote with the last of terms",
    act: tell("mesh.prevote.answer", () => ({ term: LAST, granted: false })),
    counted: "NOT_AUTHORIZED"
  },
  {
    title: "a refused heartbeat with the last of terms",
    act: tell("mesh.lead.answer", () => ({ term: LAST, beat: 1, promised: false })),
    counted: "NOT_AUTHORIZED"
  },
  {
    // To the receiver it is of an older link (P7.1): this one is the first that the liar opened, and not the field's first.
    title: "a heartbeat of the receiver's own epoch, mirrored",
    act: (line, { field }) => {
      const session = field.state()!.links.links.find((link) => link.link === line.link)
      line.tell("mesh.heartbeat", { epoch: session?._tag === "Session" ? session.epoch : null, seq: 0, rows: 0 })
    },
    counted: null
  },
  {
    title: "mesh.release of a term that another leads",
    act: tell("mesh.release", () => ({ term: TERM })),
    counted: null
  },
  {
    title: "peer.leaving that names main",
    act: tell("peer.leaving", ({ main }) => ({ gen: 1, deviceId: main.config.deviceId, timestamp: 0 })),
    counted: "NOT_AUTHORIZED"
  },
  {
    title: "peer.leaving that names the receiver",
    act: tell("peer.leaving", ({ field }) => ({ gen: 1, deviceId: field.config.deviceId, timestamp: 0 })),
    counted: "NOT_AUTHORIZED"
  },
  {
    title: "peer.leaving of a generation to come",
    act: tell("peer.leaving", ({ mallory }) => ({ gen: 2, deviceId: mallory.keys.deviceId, timestamp: 0 })),
    counted: "UNSUPPORTED_GENERATION"
  },
  {
    title: "peer.down that names main",
    act: tell("peer.down", ({ main }) => ({ gen: 1, deviceId: main.config.deviceId, reportedAtMs: 0 })),
    counted: null
  },
  {
    title: "mesh.edges of an observer that nobody knows",
    act: tell("mesh.edges", (s) => ({ rows: [row(s.eve.keys.deviceId, [])] })),
    counted: null
  },
  {
    title: "mesh.edges about the receiver, by the receiver",
    act: tell("mesh.edges", (s) => ({
      rows: [row(s.field.config.deviceId, [{ subject: s.main.config.deviceId, incarnation: 1, good: false }])]
    })),
    counted: null
  },
  {
    title: "mesh.edges with more edges than there are devices",
    act: tell("mesh.edges", (s) => ({
      rows: [
        row(
          s.mallory.keys.deviceId,
          Array.from({ length: 1_000 }, () => ({ subject: s.eve.keys.deviceId, incarnation: 1, good: true }))
        )
      ]
    })),
    counted: null
  },
  {
    title: "an answer to a probe never sent",
    act: (line, { world }) => world.network.send(line.connection, 0, { _tag: "pong", probe: 2 ** 31 }),
    counted: null
  },
  {
    title: "an answer to a displacement never asked",
    act: (line, { world }) => world.network.send(line.connection, 0, { _tag: "pong", probe: 0 }),
    counted: null
  }
]

describe("an insider's word counts for no more than its role", () => {
  for (const { act, answered = false, counted, title } of cases)
    it(`${title}: ${counted === null ? "changes nothing" : `counted as ${counted}`}, the session stays`, () => {
      const { line, siege } = insider("field", act)
      assert.deepStrictEqual(line.errors, answered && counted !== null ? [counted] : [])
      assert.isNull(closedWith(siege, line))
      assert.deepStrictEqual(statusOf(siege, siege.field).refusals, counted === null ? {} : { [counted]: 1 })
      nobodyElseNotices(siege, "field")
    })

  it("a thousand of each at once: each counted, the session stays, nobody else notices", () => {
    const { siege } = insider("field", (line, s) => {
      for (let i = 0; i < 1_000; i++) {
        line.raw("garbage")
        line.tell("mesh.lead", { term: NEXT, beat: i })
        line.tell("mesh.lead", { term: LAST, beat: i })
        line.raw(`{"type":"event","event":"mesh.coup"}`)
        line.tell("mesh.release", { term: TERM })
      }
      assert.isFalse(s.world.violations.length > 0)
    })
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, {
      INVALID_JSON: 1_000,
      INVALID_PARAMS: 1_000,
      NOT_AUTHORIZED: 1_000
    })
    nobodyElseNotices(siege, "field")
  })
})

/** Before the silence of the lost session is told to others. */
const SOON: SiegeOptions = { untilMs: SETTLED_MS + QUIET_MS + 700 }

describe("what ends an insider's session", () => {
  const offences: ReadonlyArray<
    readonly [title: string, code: number, refusals: { readonly [code: string]: number }, act: Act]
  > = [
    ["two megabytes: TOO_LARGE, 1009", 1009, { TOO_LARGE: 1 }, raw(`"${"x".repeat(2 ** 21)}"`)],
    [
      "a heartbeat of another link's epoch: 1001",
      1001,
      {},
      tell("mesh.heartbeat", () => ({ epoch: [1, 9, 9, 9], seq: 0, rows: 0 }))
    ]
  ]
  for (const [title, code, refusals, act] of offences)
    it(`${title}; nobody else notices`, () => {
      const { line, siege } = insider("field", act, SOON)
      assert.strictEqual(closedWith(siege, line), code)
      assert.deepStrictEqual(statusOf(siege, siege.field).refusals, refusals)
      nobodyElseNotices(siege, "field", SOON)
    })

  it("S6: what it says behind its own goodbye is not heard", () => {
    const { line, siege } = insider("field", (here, { mallory, world }) => {
      here.tell("peer.leaving", { gen: 1, deviceId: mallory.keys.deviceId, timestamp: 0 })
      for (let i = 0; i < 10; i++) mallory.at(world.nowMs + 20 * i, () => here.raw("garbage"))
    })
    assert.strictEqual(closedWith(siege, line), 1000)
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, {})
    allIsWell(siege)
    const { peers } = statusOf(siege, siege.field)
    assert.deepInclude(
      peers.find((peer) => peer.deviceId === siege.mallory.keys.deviceId),
      { state: "left", linked: false }
    )
  })
})

describe("P4.3: an unknown event on a session is a sign of life", () => {
  /** Answers no ping for six seconds; says an unknown event every 200 ms, or nothing. */
  const deaf = (talks: boolean) => {
    const untilMs = SETTLED_MS + QUIET_MS + 6_000
    return insider(
      "field",
      (line, { mallory, world }) => {
        line.behaviour = { deaf: true }
        if (!talks) return
        for (let at = world.nowMs; at < untilMs; at += 200)
          mallory.at(at, () => line.raw(`{"type":"event","event":"mesh.coup","payload":null}`))
      },
      { untilMs }
    )
  }
  const mallorys = (siege: Siege) =>
    statusOf(siege, siege.field).peers.find((peer) => peer.deviceId === siege.mallory.keys.deviceId)!

  it("whoever answers no ping and says such events stays linked, and nothing is counted; but it does not answer", () => {
    const { line, siege } = deaf(true)
    assert.deepInclude(mallorys(siege), { state: "down", linked: true })
    assert.isNull(closedWith(siege, line))
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, {})
    allIsWell(siege)
  })

  it("whoever answers no ping and says nothing does not", () => {
    const { line, siege } = deaf(false)
    assert.strictEqual(closedWith(siege, line), 1001)
    assert.deepInclude(mallorys(siege), { linked: false })
    assert.notStrictEqual(mallorys(siege).state, "up")
    allIsWell(siege)
  })
})

describe("lies about others, which rows do not keep out (they are not signed): live edges of one's own outweigh them", () => {
  const lies: ReadonlyArray<readonly [title: string, rows: (siege: Siege) => ReadonlyArray<unknown>]> = [
    [
      "its own row has everybody down, in the last of incarnations",
      (s) => [
        row(
          s.mallory.keys.deviceId,
          [s.main, s.backup, s.field].map(({ config }) => ({
            subject: config.deviceId,
            incarnation: 2 ** 48,
            good: false
          }))
        )
      ]
    ],
    [
      "its own row has everybody up, in the last of incarnations",
      (s) => [
        row(
          s.mallory.keys.deviceId,
          [s.main, s.backup, s.field].map(({ config }) => ({
            subject: config.deviceId,
            incarnation: 2 ** 48,
            good: true
          }))
        )
      ]
    ],
    [
      "its own row names devices that nobody knows",
      (s) => [row(s.mallory.keys.deviceId, [{ subject: s.eve.keys.deviceId, incarnation: 1, good: true }])]
    ]
  ]
  for (const [title, rows] of lies)
    it(`${title}: everybody stays up, main leads on`, () => {
      const { line, siege } = insider(
        "field",
        tell("mesh.edges", (s) => ({ rows: rows(s) })),
        { untilMs: 20_000 }
      )
      assert.isNull(closedWith(siege, line))
      assert.isTrue(
        siege.field.state()!.membership.rows.some((known) => known.version === 2 ** 48),
        "the lie was taken up"
      )
      allIsWell(siege)
    })
})

describe("P7.7: an elector that may not lead, and answers what nobody asked", () => {
  const electors = "main, backup, field, mallory"
  const asElector: ReadonlyArray<readonly [title: string, at: string, counted: string | null, act: Act]> = [
    ["mesh.lead", "field", "NOT_AUTHORIZED", tell("mesh.lead", () => ({ term: NEXT, beat: 1 }))],
    ["mesh.lead in the last of terms", "field", "INVALID_PARAMS", tell("mesh.lead", () => ({ term: LAST, beat: 1 }))],
    [
      "a vote for the leader, after the election",
      "main",
      null,
      tell("mesh.vote.answer", () => ({ term: TERM, granted: true }))
    ],
    [
      "a vote for a term that nobody stands for",
      "backup",
      null,
      tell("mesh.vote.answer", () => ({ term: NEXT, granted: true }))
    ],
    [
      "a prevote for a term that nobody stands for",
      "backup",
      null,
      tell("mesh.prevote.answer", () => ({ term: NEXT, granted: true }))
    ],
    [
      "a promise on a heartbeat that was never sent",
      "main",
      null,
      tell("mesh.lead.answer", () => ({ term: TERM, beat: 2 ** 48, promised: true }))
    ]
  ]
  const absurd = [
    ["of another manifest", { manifest: 2 ** 48, counter: 2 }],
    ["of an older manifest", { manifest: 0, counter: 2 }],
    ["at the end of counting", { manifest: 1, counter: 2 ** 48 }],
    ["one beyond the leap", { manifest: 1, counter: TERM.counter + ANSWERED_TERM_LEAP_MAX + 1 }]
  ] as const
  const refusals = [
    ["mesh.vote.answer", { granted: false }],
    ["mesh.prevote.answer", { granted: false }],
    ["mesh.lead.answer", { beat: 1, promised: false }]
  ] as const
  // What would depose the leader, or wedge all elections to come, if it were believed.
  const wedges = absurd.flatMap(([title, term]) =>
    refusals.map(([event, said]): (typeof asElector)[number] => [
      `${event}, refused for a term ${title}`,
      "main",
      "INVALID_PARAMS",
      tell(event, () => ({ term, ...said }))
    ])
  )
  for (const [title, at, counted, act] of [...asElector, ...wedges])
    it(`${title}, at ${at}: ${counted ?? "changes nothing"}`, () => {
      const { line, siege } = insider(at, act, { electors })
      assert.isNull(closedWith(siege, line))
      const machine = siege.world.machines.find(({ name }) => name === at)!
      assert.deepStrictEqual(statusOf(siege, machine).refusals, counted === null ? {} : { [counted]: 1 })
      nobodyElseNotices(siege, at, { electors })
    })

  it("a candidacy of somebody who may not lead: refused by each, and costs nobody a term", () => {
    const { line, siege } = insider(
      "field",
      (here) => {
        here.tell("mesh.prevote", { term: NEXT })
        here.tell("mesh.vote", { term: NEXT })
      },
      { electors }
    )
    const answers = line.heard.flatMap((frame) =>
      frame.type === "event" && (frame.event === "mesh.vote.answer" || frame.event === "mesh.prevote.answer")
        ? [frame.payload]
        : []
    )
    assert.deepStrictEqual(answers, [
      { term: TERM, granted: false },
      { term: TERM, granted: false }
    ])
    nobodyElseNotices(siege, "field", { electors })
  })
})
