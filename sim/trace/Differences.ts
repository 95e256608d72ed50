/** Where two values of plain data differ: the paths of what is not the same, in the order of the first one's keys. */

export interface Difference {
  /** `input.frame.payload.seq`; the empty path is the value itself. */
  readonly path: string
  /** `undefined`: it is not there. */
  readonly first: unknown
  readonly second: unknown
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === "object"

const under = (path: string, key: string, inArray: boolean): string =>
  inArray ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`

export const differences = (first: unknown, second: unknown, path = ""): ReadonlyArray<Difference> => {
  if (Object.is(first, second)) return []
  if (!isObject(first) || !isObject(second) || Array.isArray(first) !== Array.isArray(second))
    return [{ path, first, second }]
  const keys = [...new Set([...Object.keys(first), ...Object.keys(second)])]
  return keys.flatMap((key) => differences(first[key], second[key], under(path, key, Array.isArray(first))))
}
