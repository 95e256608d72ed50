/** Who may call what: every caller with every method, against wire part 8 written down a second time, caller by caller. */
import { assert, describe, it } from "@effect/vitest"
import { requestSchemas, Role } from "../../../kernel/wire/Frame.ts"
import { isServed, mayCall, methods, onlyForAnOperator, type Caller } from "../../../kernel/wire/Methods.ts"

const words = (text: string): ReadonlyArray<string> => text.trim().split(/\s+/u)

/** The protocol's methods, from its document and not from the table. */
const all = words(`
  mesh.challenge mesh.connect mesh.peers mesh.status mesh.health mesh.world.query mesh.events mesh.trace
  mesh.message.forward context.sync llm.infer llm.cancel
  chat.subscribe chat.proposal.approve chat.proposal.reject operator.intent`)

const reads = "mesh.peers mesh.status mesh.health mesh.world.query chat.subscribe"
const carries = `${reads} mesh.message.forward context.sync llm.infer llm.cancel chat.proposal.approve chat.proposal.reject`

const allowed: { readonly [C in Caller]: ReadonlyArray<string> } = {
  public: words("mesh.challenge mesh.connect"),
  viewer: words(reads),
  sensor: words(reads),
  actuator: words(reads),
  node: words(carries),
  field: words(carries),
  planner: words(carries),
  "standby-planner": words(carries),
  operator: words(`${reads} mesh.events mesh.trace mesh.message.forward llm.infer llm.cancel
    chat.proposal.approve chat.proposal.reject operator.intent`)
}

describe("who may call what (wire part 8, B14, B45)", () => {
  it("the table has every method of the protocol, and every caller is here", () => {
    assert.deepStrictEqual(methods as ReadonlyArray<string>, all)
    assert.sameMembers(Object.keys(allowed), [...Role.literals, "public", "operator"])
  })

  for (const caller of Object.keys(allowed) as ReadonlyArray<Caller>)
    it(`${caller}: these, and nothing else`, () => {
      for (const method of all)
        assert.strictEqual(mayCall(caller, method), allowed[caller].includes(method), `${caller} ${method}`)
    })

  it("B14, C69 a viewer only reads: it moves nothing, decides nothing, spends nothing", () => {
    const acts = words(
      "mesh.message.forward context.sync llm.infer llm.cancel chat.proposal.approve chat.proposal.reject operator.intent"
    )
    for (const method of acts) assert.isFalse(mayCall("viewer", method), method)
  })

  it("C31 before the handshake there is the handshake, and nobody else has it", () => {
    for (const method of all)
      for (const caller of Object.keys(allowed) as ReadonlyArray<Caller>)
        if (method === "mesh.challenge" || method === "mesh.connect")
          assert.strictEqual(mayCall(caller, method), caller === "public", `${caller} ${method}`)
        else assert.isFalse(mayCall("public", method), method)
  })

  it("B45 no device is an operator: what is an operator's alone, or decided by people, needs one to be named", () => {
    for (const role of Role.literals) {
      for (const method of words("mesh.events mesh.trace operator.intent"))
        assert.isFalse(mayCall(role, method), method)
      for (const method of all) {
        const decision = method === "chat.proposal.approve" || method === "chat.proposal.reject"
        assert.strictEqual(onlyForAnOperator(role, method), decision && mayCall(role, method), `${role} ${method}`)
      }
    }
    for (const method of all)
      assert.isFalse(onlyForAnOperator("operator", method) || onlyForAnOperator("public", method))
  })

  it("nobody may call what is no method, whatever its name", () => {
    for (const method of [
      "",
      "mesh",
      "mesh.statu",
      "MESH.STATUS",
      " mesh.status",
      "__proto__",
      "constructor",
      "toString",
      "mesh.heartbeat"
    ]) {
      for (const caller of Object.keys(allowed) as ReadonlyArray<Caller>)
        assert.isFalse(mayCall(caller, method), method)
      assert.isFalse(isServed(method))
    }
  })

  it("what is marked as served is what the codec reads, no more and no less", () => {
    assert.sameMembers(methods.filter(isServed), Object.keys(requestSchemas))
  })
})
