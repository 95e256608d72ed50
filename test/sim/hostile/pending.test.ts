/** What a link says while its login is in the hands of the key store, or waits for a probe (P5.10). */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import { DISPLACE_PROBE } from "../../../kernel/links/Link.ts"
import type { Line } from "../../../sim/network/Stranger.ts"
import { asMallory, besiege, closedWith, nobodyElseNotices, statusOf } from "./Siege.ts"

const moments: ReadonlyArray<readonly [title: string, state: string, is: (command: Command, line: Line) => boolean]> = [
  ["checked", "CheckingClient", (command, { link }) => command._tag === "Check" && command.ticket === link],
  ["signed", "SigningAnswer", (command, { link }) => command._tag === "Sign" && command.ticket === link],
  ["held", "Held", (command) => command._tag === "Ping" && command.probe === DISPLACE_PROBE]
]

const frames: ReadonlyArray<readonly [title: string, text: string, code: string, answered: boolean]> = [
  [
    "an event",
    `{"type":"event","event":"mesh.lead","payload":{"term":{"manifest":1,"counter":9},"beat":1}}`,
    "NOT_AUTHORIZED",
    false
  ],
  ["an event that nobody knows", `{"type":"event","event":"mesh.coup"}`, "NOT_AUTHORIZED", false],
  ["a challenge", `{"type":"req","id":"x","method":"mesh.challenge"}`, "NOT_AUTHORIZED", true],
  ["a request", `{"type":"req","id":"x","method":"mesh.status"}`, "NOT_AUTHORIZED", true],
  ["an answer", `{"type":"res","id":"x","ok":true,"payload":{}}`, "NOT_AUTHORIZED", false],
  ["garbage", "garbage", "INVALID_JSON", false],
  ["a login of null", `{"type":"req","id":"x","method":"mesh.connect","params":null}`, "INVALID_PARAMS", true]
]

describe("P5.10: whoever has sent its login has nothing to say until it is answered", () => {
  for (const [moment, state, is] of moments)
    for (const [title, text, code, answered] of frames)
      it(`${title} while it is ${moment}: counted as ${code}, closed 1008, and no session`, () => {
        let line: Line | undefined
        let first: Line | undefined
        let seen: string | undefined
        const siege = besiege(
          (s) => {
            if (state !== "Held") {
              line = asMallory(s, "field")
              return
            }
            // An older incarnation of mallory has a session, and does not answer the probe.
            first = asMallory(s, "field", {}, (here) => {
              here.behaviour = { deaf: true }
              line = asMallory(s, "field", { incarnation: 2 })
            })
          },
          {
            onStep: (s, machine, _, commands) => {
              if (line === undefined || machine !== s.field || seen !== undefined) return
              if (!commands.some((command) => is(command, line!))) return
              seen = machine.state()!.links.links.find(({ link }) => link === line!.link)!._tag
              // It arrives in this very instant, before the key store can answer.
              const cargo = { _tag: "raw", text } as const
              const { id } = line.connection
              s.world.agenda.push(s.world.nowMs, { _tag: "arrive", connection: id, from: 0, n: 0, cargo, bytes: 0 })
            }
          }
        )
        assert.strictEqual(seen, state)
        assert.strictEqual(closedWith(siege, line!), 1008)
        assert.deepStrictEqual(line!.errors, answered ? [code] : [])
        assert.isFalse(siege.field.state()!.links.links.some(({ link }) => link === line!.link))
        assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { [code]: 1 })
        if (first === undefined) nobodyElseNotices(siege, ["field"])
        else assert.deepStrictEqual(siege.world.violations, [])
      })
})
