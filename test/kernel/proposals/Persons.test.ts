/** B33; P17.10: where keys of persons are known, only what one of them signed is a decision. */
import { assert, describe, it } from "@effect/vitest"
import { decisionOf, type Body, type Fact } from "../../../kernel/proposals/Proposal.ts"
import { TOKENS_MAX } from "../../../kernel/proposals/Proposals.ts"
import { keyOf, sign, type Given } from "../drive.ts"
import { approved, body, frameOf, intentOf, proposed } from "./facts.ts"
import { ready, type Well } from "./Well.ts"

const persons = [
  { name: "asha", publicKey: keyOf("asha") },
  { name: "ravi", publicKey: keyOf("ravi") }
]

const MESH = { meshId: "mesh", meshKey: "operator" }

type Approval = Extract<Fact, { readonly fact: "approve" }>

/** As the person `key` signs it; `instead`: what is said in place of what was signed. */
const signed = (token: string, key: string, of: Body = body, instead: Partial<Approval> = {}): Fact => {
  const fact = approved(token, of, { by: key }) as Approval
  const signature = sign(keyOf(key), decisionOf(MESH, fact))
  return { ...fact, person: { publicKey: keyOf(key), signature }, ...instead }
}

const codeOf = (well: Well): string | undefined => well.proposal()?.voids.at(-1)?.code

describe("a decision of a person with a key", () => {
  it("is carried out once its signature was looked at, at whatever device it was given", () => {
    for (const device of ["d", "f", "c"]) {
      const well = ready({}, persons)
      well.says(device, signed(well.token(body, device), "asha"))
      assert.strictEqual(well.opened.length, 1, device)
      well.done()
      assert.deepInclude(well.proposal(), { status: "completed" })
      assert.strictEqual(well.proposal()?.decided?.by, "asha")
    }
  })

  const refused: { readonly [what: string]: readonly [code: string, fact: (token: string) => Fact] } = {
    "without a signature": ["NOT_AUTHORIZED", (token) => approved(token)],
    "of somebody whom nobody knows": ["NOT_AUTHORIZED", (token) => signed(token, "mallory")],
    "with another's key": ["NOT_AUTHORIZED", (token) => signed(token, "mallory", body, { by: "asha" })],
    "with the key of another who is known": ["NOT_AUTHORIZED", (token) => signed(token, "ravi", body, { by: "asha" })],
    "of another token": ["AUTH_FAILED", (token) => ({ ...(signed("t-0", "asha") as Approval), token })],
    "of another body": [
      "AUTH_FAILED",
      (token) => ({ ...(signed(token, "asha", { ...body, forMs: 1 }) as Approval), body })
    ],
    "of another name that was typed": ["AUTH_FAILED", (token) => signed(token, "asha", body, { typed: "pump" })],
    "for another mesh": [
      "AUTH_FAILED",
      (token) => {
        const fact = approved(token) as Approval
        const signature = sign(keyOf("asha"), decisionOf({ ...MESH, meshKey: "another" }, fact))
        return { ...fact, person: { publicKey: keyOf("asha"), signature } }
      }
    ],
    "that is no signature": [
      "AUTH_FAILED",
      (token) => signed(token, "asha", body, { person: { publicKey: keyOf("asha"), signature: "x" } })
    ]
  }
  for (const [what, [code, fact]] of Object.entries(refused))
    it(`${what} is none: ${code}, and the proposal waits as before`, () => {
      const well = ready({}, persons)
      const token = well.token()
      well.says("d", fact(token))
      assert.deepStrictEqual(well.opened, [])
      assert.strictEqual(codeOf(well), code)
      assert.strictEqual(well.proposal()?.status, "awaiting_approval")
    })

  it("is none of a person who may not approve this", () => {
    const well = ready({ approvers: ["ravi"] }, persons)
    well.says("d", signed(well.token(), "asha"))
    assert.deepStrictEqual([well.opened.length, codeOf(well)], [0, "NOT_AUTHORIZED"])
    well.says("d", signed(well.token(), "ravi"))
    assert.strictEqual(well.opened.length, 1)
  })

  it("many that are none leave it as it was, from whichever devices, also all at once", () => {
    for (const atOnce of [false, true]) {
      const well = ready({}, persons)
      const devices = ["d", "f", "c", "b"]
      const tokens = devices.map((device) => well.token(body, device))
      well.drive.keysWait = atOnce
      for (const [n, device] of devices.entries()) well.says(device, approved(tokens[n]!))
      well.drive.keysWait = false
      for (let n = 0; n < 9; n++) well.feed(...well.drive.waiting.splice(0))
      assert.strictEqual(well.proposal()?.status, "awaiting_approval")
      assert.lengthOf(well.proposal()!.voids, devices.length)
      well.says("d", signed(well.token(), "asha"))
      assert.strictEqual(well.opened.length, 1)
    }
  })

  it("signed for one proposal is none for another", () => {
    const other: Body = { ...body, request: "another", again: true }
    const well = ready({}, persons)
    well.says("b", proposed(other))
    const token = well.token(other)
    const { person } = signed(token, "asha") as Approval
    well.says("d", { ...(approved(token, other) as Approval), person: person! })
    assert.deepStrictEqual(well.opened, [])
    assert.strictEqual(well.proposal(other)?.voids.at(-1)?.code, "AUTH_FAILED")
  })

  it("moves once, however often it comes while it is looked at", () => {
    const well = ready({}, persons)
    const frame = frameOf("d", 1, signed(well.token(), "asha"))
    for (const over of ["c", "b", "f"]) well.brings(frame, over)
    well.done()
    assert.strictEqual(well.opened.length, 1)
  })

  it("a no that comes while it is looked at comes first", () => {
    const well = ready({}, persons)
    const fact = signed(well.token(), "asha")
    const { drive } = well
    const checked = (): Given => drive.waiting.splice(0).find(({ _tag }) => _tag === "Checked")!
    drive.keysWait = true
    well.says("d", fact)
    well.feed(checked())
    const ofPerson = checked()
    assert.strictEqual(drive.node.proposals.checking.length, 1)
    drive.keysWait = false
    well.says("f", { fact: "reject", id: intentOf(), by: "ravi" })
    well.feed(ofPerson)
    assert.deepStrictEqual(well.opened, [])
    assert.strictEqual(well.proposal()?.status, "rejected")
  })

  it("so many are looked at at once", () => {
    const well = ready({}, persons)
    const fact = signed(well.token(), "asha")
    const { node } = well.drive
    const checking = Array.from({ length: TOKENS_MAX }, (_, n) => ({ ticket: n, frame: frameOf("d", 90 + n, fact) }))
    well.drive.node = { ...node, proposals: { ...node.proposals, checking } }
    well.says("d", fact)
    assert.deepStrictEqual([well.opened.length, codeOf(well)], [0, "RATE_LIMITED"])
  })

  it("where no keys are known the device's word is enough, and a signature does no harm", () => {
    const well = ready()
    well.says("d", signed(well.token(), "mallory"))
    assert.strictEqual(well.opened.length, 1)
  })
})
