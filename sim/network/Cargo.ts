/** What goes over a connection, and how large it is. */
import { encode } from "../../kernel/wire/Codec.ts"
import { utf8Bytes } from "../../kernel/wire/Utf8.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"

/** What a message is, to those who carry it. `raw` is text as a hostile peer would send it. */
export type Cargo =
  | { readonly _tag: "frame"; readonly frame: Frame }
  | { readonly _tag: "raw"; readonly text: string }
  | { readonly _tag: "ping" | "pong"; readonly probe: number }
  | { readonly _tag: "fin" }

/** What a kernel says. */
export type Message = Extract<Cargo, { readonly _tag: "frame" | "raw" }>

/** As the wire has it. A reset overtakes nothing either. */
export type Packet = Cargo | { readonly _tag: "rst" }

/** Of a WebSocket frame with its mask (RFC 6455 section 5.2), short ones and long ones alike. */
const FRAME_BYTES = 8
/** A number in a ping; nothing but the frame in a FIN or a RST. */
const PROBE_BYTES = 8

export const textOf = (message: Message): string => (message._tag === "frame" ? encode(message.frame) : message.text)

/**
 * The exact size of the encoded text, and of its WebSocket frame; TLS and TCP are left out. Encoding costs more than a step of
 * a kernel, so it is asked only where bytes matter: on a path with a capacity, and for what waits.
 */
export const bytesOf = (packet: Packet): number => {
  switch (packet._tag) {
    case "frame":
    case "raw":
      return FRAME_BYTES + utf8Bytes(textOf(packet))
    case "ping":
    case "pong":
      return FRAME_BYTES + PROBE_BYTES
    case "fin":
    case "rst":
      return FRAME_BYTES
  }
}
