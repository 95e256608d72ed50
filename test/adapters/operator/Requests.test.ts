import { assert, describe, it } from "@effect/vitest"
import { EVENTS_DEFAULT, EVENTS_MAX, eventKinds } from "../../../adapters/operator/Api.ts"
import { isFailure } from "../../../adapters/operator/Failure.ts"
import { read } from "../../../adapters/operator/Requests.ts"
import { id } from "../../kernel/drive.ts"

const asked = (method: string, target: string) => {
  const found = read(method, target)
  assert.isFalse("$type" in found && isFailure(found), JSON.stringify(found))
  return found
}
const refused = (method: string, target: string): string => {
  const found = read(method, target)
  return "$type" in found ? `${found.code} ${found.message}` : `not refused: ${found._tag}`
}

describe("the operator's socket: requests", () => {
  it("what is read has one address each", () => {
    for (const what of ["status", "peers", "health", "trust"])
      assert.deepStrictEqual(asked("GET", `/${what}`), { _tag: what } as never)
    assert.deepStrictEqual(asked("POST", "/trust"), { _tag: "add" })
    assert.deepStrictEqual(asked("POST", `/echo/${id("e")}`), { _tag: "echo", id: id("e") })
    assert.deepStrictEqual(asked("GET", "/trace?frame=f"), { _tag: "trace", frameId: "f" })
    assert.deepStrictEqual(asked("GET", `/world?limit=5&kind=event&zone=z&source=${id("e")}`), {
      _tag: "world",
      question: { limit: 5, kind: "event", zone: "z", source: id("e") }
    })
    assert.deepStrictEqual(asked("DELETE", `/trust/${id("e")}`), { _tag: "remove", id: id("e") })
  })

  it("events without a limit: the last hundred, everything since a time, or nothing of the past for a follower", () => {
    const question = { sinceMs: null, kinds: [], about: null, limit: EVENTS_DEFAULT }
    assert.deepStrictEqual(asked("GET", "/events"), { _tag: "events", question })
    assert.deepStrictEqual(asked("GET", "/events?since=5"), {
      _tag: "events",
      question: { ...question, sinceMs: 5, limit: EVENTS_MAX }
    })
    assert.deepStrictEqual(asked("GET", "/events?about=pump-1"), {
      _tag: "events",
      question: { ...question, about: "pump-1" }
    })
    assert.deepStrictEqual(asked("GET", "/events?follow"), { _tag: "follow", question: { ...question, limit: 0 } })
    assert.deepStrictEqual(asked("GET", "/events?follow&since=5&type=peer,node.started&limit=3"), {
      _tag: "follow",
      question: { sinceMs: 5, kinds: ["peer", "node.started"], about: null, limit: 3 }
    })
  })

  it("every kind that the kernel tells of may be asked for", () => {
    assert.sameMembers(
      [...eventKinds],
      [
        "node",
        "peer",
        "connection",
        "frame",
        "leader",
        "manifest",
        "planner",
        "world",
        "actuator",
        "proposal",
        "inference"
      ]
    )
    for (const kind of eventKinds) asked("GET", `/events?type=${kind}`)
    asked("GET", "/events?type=peer.down")
  })

  it("what does not read is refused, with its reason", () => {
    const cases: ReadonlyArray<readonly [string, string, RegExp]> = [
      ["GET", "/events?type=pear", /no kind "pear"/u],
      ["GET", "/world?limit=0", /from 1 to 10000/u],
      ["GET", "/world?limit=-1", /from 1 to 10000/u],
      ["GET", "/world?limit=99999", /from 1 to 10000/u],
      ["GET", "/world?limit=all", /from 1 to 10000/u],
      ["GET", "/world?kind=pear", /no kind "pear"/u],
      ["GET", "/world?source=barn", /64 hex digits/u],
      ["GET", "/world?zoom=1", /no parameter "zoom"/u],
      ["GET", "/world?zone=a&zone=b", /given twice/u],
      ["POST", "/world", /only read/u],
      ["GET", "/trace", /one frame/u],
      ["POST", "/echo/barn", /64 hex digits/u],
      ["GET", "/events?type=pee", /no kind "pee"/u],
      ["GET", "/events?since=-1", /ms since 1970/u],
      ["GET", "/events?since=1h", /ms since 1970/u],
      ["GET", "/events?limit=1001", /from 0 to 1000/u],
      ["GET", "/events?limit=", /from 0 to 1000/u],
      ["GET", "/events?limit=1&limit=2", /given twice/u],
      ["GET", "/events?about=", /name of a device/u],
      ["GET", `/events?about=${"x".repeat(129)}`, /name of a device/u],
      ["GET", "/events?typ=peer", /no parameter "typ"/u],
      ["GET", "/status?verbose", /no parameters/u],
      ["POST", "/status", /nothing that this node does/u],
      ["POST", "/events", /only read/u],
      ["PUT", "/trust", /nothing that this node does/u],
      ["DELETE", "/trust/abc", /whole id/u],
      ["DELETE", `/trust/${id("e").toUpperCase()}`, /whole id/u],
      ["DELETE", `/trust/..%2f${id("e")}`, /whole id/u],
      ["GET", "*", /no address/u],
      ["GET", "", /no address/u]
    ]
    for (const [method, target, says] of cases) {
      assert.match(refused(method, target), says, `${method} ${target}`)
      assert.match(refused(method, target), /^WRONG_USE/u)
    }
    for (const target of ["/", "/nothing", "//status", "/status/", "/__proto__", "/constructor"])
      assert.match(refused("GET", target), /^NOT_FOUND .*another version/u, target)
  })
})
