/** The audit log on a terminal: one line each as events have, and whether the record is whole. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Audited } from "../audit/Audit.ts"
import { Event } from "../operator/Api.ts"
import { eventLine } from "./EventScreen.ts"
import { count, type Look, styled } from "./Text.ts"

const decode = Schema.decodeUnknownOption(Event)

export const auditScreen = ({ faults, last, records }: Audited, nowMs: number, look: Look): string => {
  const lines = records.map((record) => {
    const event = decode(record)
    return Option.isSome(event) ? eventLine(event.value, nowMs, look) : "a line of another version\n"
  })
  const unfinished = faults.filter(({ what }) => what === "unfinished").length
  const whole = faults.length === unfinished
  const state = whole ? styled("whole", "green", look) : styled("not whole", "red", look)
  const torn = unfinished === 0 ? "" : `, ${count(unfinished, "line")} unfinished at a power cut`
  const end =
    last === null
      ? "Nothing is recorded."
      : `${count(records.length, "line")}; the record is ${state}${torn}; it ends with ${last}`
  return look.quiet && whole ? lines.join("") : `${lines.join("")}${end}\n`
}
