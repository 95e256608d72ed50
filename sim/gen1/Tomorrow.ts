/**
 * The kernel of tomorrow: the one of today, with every generation on its wire one higher. It speaks generation 2 and nothing
 * else, so that who meets it without understanding it is met in turn (C26).
 *
 * Promises: pure; signatures fit what is said, for also the strings that are signed and checked are shifted.
 *
 * Does not model: a kernel that speaks two generations, as one in the middle of an upgrade would.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Input } from "../../kernel/Input.ts"
import type { Frame, KernelHello } from "../../kernel/wire/Frame.ts"
import type { Kernel } from "../engine/Host.ts"

/** Where `gen` stands in the string that kernel peers sign (PROTOCOL.md part 9). */
const GEN_PLACE = 12

const shiftedHello = ({ gen: [low, high], ...hello }: KernelHello, by: number): KernelHello => ({
  ...hello,
  gen: [Math.max(0, low + by), Math.max(0, high + by)]
})

const shifted = (frame: Frame, by: number): Frame => {
  if (frame.type === "event") {
    const { payload } = frame
    return "gen" in payload
      ? ({ ...frame, payload: { ...payload, gen: Math.max(0, payload.gen + by) } } as Frame)
      : frame
  }
  if (frame.type === "req") {
    if (frame.method !== "mesh.connect" || frame.params.kernel === undefined) return frame
    return { ...frame, params: { ...frame.params, kernel: shiftedHello(frame.params.kernel, by) } }
  }
  if (!frame.ok) return frame
  const payload = frame.payload as { readonly kernel?: KernelHello }
  return payload.kernel === undefined
    ? frame
    : { ...frame, payload: { ...payload, kernel: shiftedHello(payload.kernel, by) } }
}

const shiftedPayload = (payload: string): string => {
  const parts = payload.split("|")
  if (parts[0] !== "clawmesh.kernel") return payload
  parts[GEN_PLACE] = parts[GEN_PLACE]!.split("-")
    .map((n) => Number(n) + 1)
    .join("-")
  return parts.join("|")
}

const outward = (command: Command): Command => {
  switch (command._tag) {
    case "Send":
      return { ...command, frame: shifted(command.frame, 1) }
    case "Sign":
      return { ...command, payloads: command.payloads.map(shiftedPayload) }
    case "Check":
      return {
        ...command,
        proofs: command.proofs.map(({ payload, signature }) => ({ payload: shiftedPayload(payload), signature }))
      }
    case "Persist":
      return { ...command, then: command.then.map(outward) }
    default:
      return command
  }
}

const inward = (input: Input): Input =>
  input._tag === "Received" ? { ...input, frame: shifted(input.frame, -1) } : input

export const tomorrow = ({ make, step }: Kernel): Kernel => ({
  make,
  step: (node, input) => {
    const [next, commands] = step(node, inward(input))
    return [next, commands.map(outward)]
  }
})
