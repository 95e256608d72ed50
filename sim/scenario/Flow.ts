/** YAML in flow style, as the scenarios of this project have their steps: `{ at: 10s, crash: jetson-1 }`. */

export type Flow = string | number | ReadonlyArray<Flow> | { readonly [key: string]: Flow | undefined }

/** What YAML takes for a text without quotes, also inside of brackets, and for nothing else. */
const PLAIN = /^[A-Za-z0-9+.](?:[\w .%+/()–-]|:(?=\w))*$/u
const NOT_TEXT = /^(?:[\d.+-]+|[\d.+-]+[eE][\d+-]+|0[xob].*|true|false|null|yes|no|on|off|\.inf|\.nan|)$/iu

export const scalar = (text: string): string =>
  PLAIN.test(text) && !NOT_TEXT.test(text) && !text.endsWith(" ") ? text : JSON.stringify(text)

const isList = (value: Flow): value is ReadonlyArray<Flow> => Array.isArray(value)

export const flow = (value: Flow): string => {
  if (typeof value === "number") return String(value)
  if (typeof value === "string") return scalar(value)
  if (isList(value)) return `[${value.map(flow).join(", ")}]`
  const parts = Object.entries(value).flatMap(([key, inner]) =>
    inner === undefined ? [] : [`${scalar(key)}: ${flow(inner)}`]
  )
  return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`
}
