import { assert, describe, it } from "@effect/vitest"
import { both, Lab, PLAIN, restart } from "./Lab.ts"

const numbers = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, n) => String(n))

describe("TCP as the kernel meets it", () => {
  it("a lost packet is a later arrival, by 200 ms doubling, and everything behind it waits", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    const id = lab.network.apply({ _tag: "slow", pairs: [["a", "b"]], delay: null, lossPpm: 400_000 })
    const sentMs = new Map<string, number>()
    for (const word of numbers(200)) {
      sentMs.set(word, lab.nowMs)
      lab.say(connection, 0, word)
      lab.run(5)
    }
    lab.run(20_000)
    assert.deepStrictEqual(lab.words("b"), numbers(200))
    let earlier = 0
    let lost = 0
    for (const { atMs, what } of lab.log) {
      const lateMs = atMs - (sentMs.get(what)! + 10)
      // Its own repeats (200, 600, 1,400 ms …), or the arrival of the one before it.
      const own = [0, 200, 600, 1_400, 3_000, 6_200, 12_600].includes(lateMs)
      assert.isTrue(own || atMs === earlier, `${what}: ${lateMs} ms late`)
      if (lateMs > 0 && own) lost++
      earlier = atMs
    }
    assert.isAbove(lost, 0)
    assert.isAbove(lab.network.touched(id), 40)
    assert.isBelow(lab.network.touched(id), 200)
  })

  it("a polite close arrives behind the data, also when the data are late", () => {
    const lab = new Lab(["a", "b"], { delayMs: { min: 1, max: 500 }, lossPpm: 300_000 })
    const connection = lab.open("a", "b")
    for (const word of numbers(20)) lab.say(connection, 0, word)
    lab.network.close(connection, 0, false)
    lab.run(60_000)
    assert.deepStrictEqual(lab.words("b"), [...numbers(20), "closed"])
    assert.deepStrictEqual(lab.words("a"), [])
  })

  it("a late close leaves the far end with a connection that nobody has, and speaking into it gets a reset at once", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    lab.network.apply({ _tag: "late-close", pairs: [["a", "b"]], lateMs: { min: 5_000, max: 5_000 } })
    lab.say(connection, 0, "last")
    lab.network.close(connection, 0, false)
    lab.run(1_000)
    assert.deepStrictEqual(lab.words("b"), ["last"])
    lab.say(connection, 1, "are you there")
    lab.run(20)
    assert.deepStrictEqual(lab.words("b"), ["last", "reset"])
    lab.run(10_000)
    assert.deepStrictEqual(lab.words("b"), ["last", "reset"])

    const patient = new Lab(["a", "b"])
    const other = patient.open("a", "b")
    const beganMs = patient.nowMs
    patient.network.apply({ _tag: "late-close", pairs: [["a", "b"]], lateMs: { min: 5_000, max: 5_000 } })
    patient.network.close(other, 0, false)
    patient.run(10_000)
    assert.strictEqual(patient.whenMs("b", "closed"), beganMs + 10 + 5_000)
  })

  it("an abrupt end: everything that is under way arrives, or nothing of it", () => {
    const outcomes = new Set<string>()
    for (let seed = 1; seed <= 20; seed++) {
      const lab = new Lab(["a", "b"], { delayMs: { min: 1, max: 400 }, lossPpm: 0 }, seed)
      const connection = lab.open("a", "b")
      const id = lab.network.apply({ _tag: "lossy-close", pairs: [["a", "b"]], ppm: 500_000 })
      for (const word of numbers(5)) lab.say(connection, 0, word)
      lab.network.close(connection, 0, true)
      lab.run(5_000)
      const words = lab.words("b").join(" ")
      assert.include(["reset", "0 1 2 3 4 reset"], words)
      assert.strictEqual(lab.network.touched(id), words === "reset" ? 1 : 0)
      outcomes.add(words)
    }
    assert.strictEqual(outcomes.size, 2)
  })

  it("what waits at a sender that ends abruptly never arrives", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    const id = lab.network.apply({ _tag: "cut", pairs: [["a", "b"]] })
    lab.say(connection, 0, "into the cut")
    lab.network.close(connection, 0, true)
    lab.network.undo(id)
    lab.run(60_000)
    assert.deepStrictEqual(lab.words("b"), [])
    // The far end learns of it when it speaks.
    lab.say(connection, 1, "hello?")
    lab.run(20)
    assert.deepStrictEqual(lab.words("b"), ["reset"])
  })

  it("A04: a machine that lost its power leaves a half-open connection, of which the other end learns by speaking", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    restart(lab, "b", true)
    lab.run(60_000)
    assert.deepStrictEqual(lab.log, [])
    lab.say(connection, 0, "ping")
    lab.run(20)
    assert.deepStrictEqual(lab.words("a"), ["reset"])
  })
})

describe("connections that are ended or forgotten from outside (A04, A26)", () => {
  it("a reset ends both ends, or only the one; an opening is refused", () => {
    for (const ends of ["both", "from"] as const) {
      const lab = new Lab(["a", "b", "c"])
      const connection = lab.open("a", "b")
      const elsewhere = lab.open("a", "c")
      lab.network.dial(lab.host("a"), lab.host("b"), 7)
      const id = lab.network.apply({ _tag: "reset", pairs: [["b", "a"]], ends })
      lab.run(0)
      assert.deepStrictEqual(lab.words("b"), ["reset"])
      assert.deepStrictEqual(lab.words("a"), ends === "both" ? ["reset", "refused"] : ["refused"])
      assert.deepInclude(lab.network.effects(id), { connections: 1, openings: 1 })
      lab.say(elsewhere, 0, "still here")
      lab.say(connection, 0, "and here?")
      lab.run(20)
      assert.deepStrictEqual(lab.words("c"), ["still here"])
      assert.include(lab.words("a"), "reset")
    }
  })

  it("half-open and told: one end has it no more, the other gets a reset when it speaks, or silence", () => {
    for (const answer of ["reset", "silence"] as const) {
      const lab = new Lab(["a", "b"])
      const connection = lab.open("a", "b")
      const id = lab.network.apply({ _tag: "half-open", pairs: [["a", "b"]], told: true, answer })
      lab.run(10_000)
      assert.deepStrictEqual(lab.words("a"), ["reset"])
      assert.deepStrictEqual(lab.words("b"), [])
      lab.say(connection, 1, "hello?")
      lab.run(60_000)
      assert.deepStrictEqual(lab.words("b"), answer === "reset" ? ["reset"] : [])
      assert.strictEqual(lab.network.effects(id).connections, 1)
      assert.strictEqual(lab.network.effects(id).dropped, answer === "reset" ? 0 : 1)
    }
  })

  it("half-open and not told: whoever speaks gets the answer, and the other end nothing", () => {
    for (const answer of ["reset", "silence"] as const) {
      const lab = new Lab(["a", "b"])
      const connection = lab.open("a", "b")
      lab.network.apply({ _tag: "half-open", pairs: [["a", "b"]], told: false, answer })
      lab.run(10_000)
      assert.deepStrictEqual(lab.log, [])
      lab.say(connection, 0, "hello?")
      lab.run(60_000)
      assert.deepStrictEqual(
        lab.log.map(({ host, what }) => `${host} ${what}`),
        answer === "reset" ? ["a reset"] : []
      )
    }
  })

  it("what was held on a connection that is forgotten meanwhile is answered as what is said into it", () => {
    for (const answer of ["reset", "silence"] as const) {
      const lab = new Lab(["a", "b"])
      const connection = lab.open("a", "b")
      const cut = lab.network.apply({ _tag: "cut", pairs: [["a", "b"]] })
      lab.say(connection, 0, "held")
      const id = lab.network.apply({ _tag: "half-open", pairs: [["a", "b"]], told: false, answer })
      lab.network.undo(cut)
      lab.run(10_000)
      assert.deepStrictEqual([lab.words("a"), lab.words("b")], [answer === "reset" ? ["reset"] : [], []])
      assert.deepInclude(lab.network.effects(id), { connections: 1, dropped: 1 })
      assert.strictEqual(lab.network.buffered(connection, 0), 0)
    }
  })

  it("A26: a connection that was idle for too long is forgotten; one that was not, lives", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    const pairs = both("a", "b")
    const id = lab.network.apply({ _tag: "idle-cut", pairs, idleMs: 60_000, answer: "silence" })
    for (let n = 0; n < 5; n++) {
      lab.run(50_000)
      lab.say(connection, n % 2 === 0 ? 0 : 1, `alive ${n}`)
    }
    lab.run(100)
    assert.lengthOf(lab.log, 5)
    assert.strictEqual(lab.network.touched(id), 0)
    lab.run(60_000)
    lab.say(connection, 0, "too late")
    lab.run(1_000)
    assert.lengthOf(lab.log, 5)
    assert.deepInclude(lab.network.effects(id), { connections: 1, dropped: 1 })
    // What was forgotten stays so when the rule is gone; a new connection is not.
    lab.network.undo(id)
    lab.say(connection, 1, "and now?")
    const again = lab.network.dial(lab.host("a"), lab.host("b"), 2)
    lab.run(1_000)
    lab.say(again, 0, "anew")
    lab.run(1_000)
    assert.deepStrictEqual(lab.words("a").slice(2), ["opened"])
    assert.deepStrictEqual(lab.words("b").slice(3), ["accepted", "anew"])
  })
})

describe("an opening", () => {
  it("meets cuts as SYN repeats, and is counted", () => {
    const lab = new Lab(["a", "b"])
    const id = lab.network.apply({ _tag: "cut", pairs: [["b", "a"]] })
    lab.network.dial(lab.host("a"), lab.host("b"), 1)
    lab.run(500)
    lab.network.undo(id)
    lab.run(2_000)
    // The SYN-ACK is sent at 10, repeated at 1,010, and the upgrade takes two crossings more.
    assert.deepStrictEqual(
      lab.log.map(({ atMs, host, what }) => `${atMs} ${host} ${what}`),
      ["1030 b accepted", "1040 a opened"]
    )
    assert.deepStrictEqual(lab.network.effects(id).openings, 1)
  })

  it("repeats its SYN after 1, 3 and 7 s", () => {
    const lab = new Lab(["a", "b"])
    const id = lab.network.apply({ _tag: "cut", pairs: [["a", "b"]] })
    lab.network.dial(lab.host("a"), lab.host("b"), 1)
    lab.run(6_999)
    lab.network.undo(id)
    lab.run(3_000)
    assert.strictEqual(lab.whenMs("a", "opened"), 7_040)
    assert.strictEqual(lab.network.effects(id).openings, 3)
  })

  it("fails after its limit, as unreachable, as refused", () => {
    const lab = new Lab(["a", "b", "c", "d"], PLAIN)
    lab.network.apply({ _tag: "cut", pairs: [["a", "b"]] })
    lab.host("c").powered = false
    lab.host("d").listening = false
    for (const [attempt, name] of [...lab.hosts.keys()].entries())
      if (name !== "a") lab.network.dial(lab.host("a"), lab.host(name), attempt)
    lab.run(20_000)
    assert.deepStrictEqual(
      lab.log.map(({ atMs, connection, what }) => [connection, what, atMs]),
      [
        [3, "refused", 20],
        [2, "unreachable", 3_010],
        [1, "timeout", 10_000]
      ]
    )
  })
})
