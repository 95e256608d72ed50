/** Frames for tests of the world: signed as the drive's keys sign, and everything about them to be chosen. */
import { signedText, trustOf, type ContextFrame, type Kind } from "../../../kernel/wire/ContextFrame.ts"
import type { Command } from "../../../kernel/Command.ts"
import { id, keyOf, sign, type Drive } from "../drive.ts"

export interface Said {
  readonly by: string
  readonly seq: number
  readonly incarnation?: number
  readonly zone?: string
  readonly metric?: string
  readonly value?: number
  readonly kind?: Kind
  readonly hops?: number
  readonly ageMs?: number
  readonly causes?: ReadonlyArray<string>
}

const MESH = { meshId: "mesh", meshKey: "operator" }

/** As a kernel peer says it. */
export const signed = ({ by, seq, ...said }: Said, instead: Partial<ContextFrame> = {}): ContextFrame => {
  const { causes, incarnation = 1, kind = "observation", metric = "moisture", value = seq, zone = "zone-1" } = said
  const frame: ContextFrame = {
    gen: 1,
    kind,
    frameId: `${by}-${incarnation}-${seq}`,
    sourceDeviceId: id(by),
    timestamp: 1_000 + seq,
    data: { zone, metric, value },
    trust: trustOf(kind),
    hops: said.hops ?? 0,
    ...instead,
    kernel: {
      incarnation,
      seq,
      publicKey: keyOf(by),
      ageMs: said.ageMs ?? 0,
      signature: "",
      ...(causes === undefined ? {} : { causes })
    }
  }
  const signature = sign(keyOf(by), signedText(frame, MESH.meshId, MESH.meshKey))
  return { ...frame, kernel: { ...frame.kernel!, signature } }
}

/** As a device of generation 1 says it. */
export const unsigned = (by: string, n: number, instead: Partial<ContextFrame> = {}): ContextFrame => ({
  kind: "observation",
  frameId: `${by}-${n}`,
  sourceDeviceId: id(by),
  timestamp: n,
  data: { zone: "zone-1", metric: "moisture", value: n },
  trust: trustOf("observation"),
  hops: 0,
  ...instead
})

/** With everything that waits in the lanes, once the far ends have read what was before it. */
export const read = (drive: Drive, commands: ReadonlyArray<Command>): ReadonlyArray<Command> => {
  const out = [...commands]
  for (;;) {
    const line = drive.node.links.lines.find(({ marked }) => marked > 0)
    if (line === undefined) return out
    out.push(...drive.feed({ _tag: "Ponged", link: line.link, probe: line.mark }))
  }
}
