/**
 * An invite as one line, for a QR, a file or another window: `clawmesh:join?m=bhoomi&a=192.168.1.41:18789&k=21fe31df…&c=K7QF…`. `a` may be
 * there several times, `m` is the name of the mesh if it has one, `k` the beginning of the inviter's device id.
 */
import { readCode } from "../../kernel/pairing/Code.ts"
import type { Address } from "./Guest.ts"

export interface Link {
  readonly code: string
  readonly meshName: string | null
  /** Hex digits. */
  readonly host: string | null
  readonly addresses: ReadonlyArray<string>
}

const SCHEME = "clawmesh:join?"
const UNITS_MAX = 2_048
const ADDRESSES_MAX = 8
/** 64 bits: a pin to fail early by. What is believed is the proof of the code. */
const HOST_DIGITS = 16

export const renderLink = ({ addresses, code, host, meshName }: Link): string => {
  // A QR is smaller without what need not be escaped.
  const value = (text: string): string => encodeURIComponent(text).replaceAll("%3A", ":")
  return `${SCHEME}${[
    ...(meshName === null ? [] : [`m=${value(meshName)}`]),
    ...addresses.slice(0, ADDRESSES_MAX).map((address) => `a=${value(address)}`),
    ...(host === null ? [] : [`k=${host.slice(0, HOST_DIGITS)}`]),
    `c=${code}`
  ].join("&")}`
}

/** `192.168.1.41:18789`, `[fd00::1]:18789`; `null`: it is none. @param port where none is said */
export const readAddress = (text: string, port: number | null = null): Address | null => {
  const found = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/iu.exec(text)
  const given = found?.[3] === undefined ? port : Number(found[3])
  const host = found?.[1] ?? found?.[2]
  return host === undefined || given === null || given < 1 || given > 65_535 ? null : { host, port: given }
}

export const isLink = (text: string): boolean => text.startsWith("clawmesh:")

/** Or what is wrong with it. */
export const readLink = (text: string): Link | { readonly problem: string } => {
  if (!text.startsWith(SCHEME) || text.length > UNITS_MAX)
    return { problem: `it begins with ${SCHEME} and has ${UNITS_MAX} characters at most` }
  const parameters = new URLSearchParams(text.slice(SCHEME.length))
  const code = readCode(parameters.get("c") ?? "")
  if (code._tag === "Mistyped") return { problem: `its code ${code.why}` }
  const addresses = parameters.getAll("a").slice(0, ADDRESSES_MAX)
  if (addresses.some((address) => readAddress(address) === null)) return { problem: "an address in it does not read" }
  const host = parameters.get("k")
  if (host !== null && !/^[0-9a-f]{8,64}$/u.test(host)) return { problem: "the id in it does not read" }
  return { code: code.code, meshName: parameters.get("m"), host, addresses }
}
