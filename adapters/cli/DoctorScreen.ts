/** `clawmesh doctor` on a terminal: a line each, and under what is not well what to do. */
import { printable } from "../config/Printable.ts"
import type { Check, Doctor } from "../doctor/Report.ts"
import { count, type Look, type Style, styled } from "./Text.ts"

const marks: { readonly [R in Check["result"]]: readonly [mark: string, style: Style] } = {
  success: ["✓", "green"],
  warning: ["!", "yellow"],
  error: ["✗", "red"],
  skipped: ["–", "dim"]
}

const lines = ({ description, hint, result }: Check, look: Look): ReadonlyArray<string> => {
  const [mark, style] = marks[result]
  const way = hint === null ? [] : hint.split("\n").map((line) => `      ${styled(printable(line), "dim", look)}`)
  return [`  ${styled(mark, style, look)} ${printable(description)}`, ...way]
}

/** With `quiet` only what is not well. */
export const doctorScreen = ({ categories, fixed }: Doctor, look: Look): string => {
  const all = categories.flatMap(({ checks }) => checks)
  const of = (result: Check["result"]): number => all.filter((check) => check.result === result).length
  const shown = categories.flatMap(({ checks, name }) => {
    const seen = look.quiet ? checks.filter(({ hint }) => hint !== null) : checks
    return seen.length === 0 ? [] : [styled(name, "bold", look), ...seen.flatMap((check) => lines(check, look))]
  })
  const done = fixed.map((command) => `Has run: ${printable(command)}`)
  const more = of("error") + of("warning") === 0 ? "" : "   What each means: docs/how-to/when-something-is-wrong.md"
  const foot = `${count(of("error"), "problem")}, ${count(of("warning"), "warning")}, ${of("success")} fine, ${of("skipped")} not looked at.${more}`
  return `${[...shown, ...(shown.length > 0 ? [""] : []), ...done, ...(look.quiet ? [] : [foot])].join("\n")}\n`
}
