/**
 * The vectors of docs/vectors, as other projects read them: with a JSON parser. (An import would go through the bundler of the
 * test runner, to which `__proto__` is not a key like any other.)
 */
import { readFileSync } from "node:fs"
import type { ContextFrame } from "../kernel/wire/ContextFrame.ts"
import type { ConnectFields, GoodbyeFields, KernelFields } from "../kernel/identity/Handshake.ts"

interface Signed<A> {
  readonly name: string
  readonly given: A
  readonly payload: string
  readonly signature: string
}

interface IdentityVectors {
  readonly key: { readonly seedHex: string; readonly publicKey: string; readonly deviceId: string }
  readonly audience: { readonly publicKey: string; readonly deviceId: string }
  readonly mesh: { readonly name: string; readonly meshId: string }
  readonly connect: ReadonlyArray<Signed<ConnectFields>>
  readonly kernel: ReadonlyArray<Signed<KernelFields>>
  readonly leave: ReadonlyArray<Signed<GoodbyeFields>>
}

interface FrameGiven {
  readonly meshId: string
  readonly meshKey: string
  readonly frame: ContextFrame
}

export interface CodecVector {
  readonly name: string
  readonly text?: string
  readonly repeat?: { readonly before: string; readonly unit: string; readonly times: number; readonly after: string }
  readonly expect: unknown
}

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../docs/vectors/${name}.json`, import.meta.url), "utf8"))

export const identityVectors: IdentityVectors = read("identity")
export const codecVectors: ReadonlyArray<CodecVector> = read("codec").vectors
export const frameVectors: ReadonlyArray<Signed<FrameGiven>> = read("frames").vectors
