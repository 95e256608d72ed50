/** Every bound of the transport that is not of the wire itself (kernel/wire/Limits.ts). Tests give smaller ones. */
export interface Limits {
  /** From the first packet to an open WebSocket, either way: TCP, TLS and the upgrade together, ms. */
  readonly openingMs: number
  /** Connections from outside, open or opening. */
  readonly inboundMax: number
  /** Of those, the ones that are not open yet. */
  readonly openingMax: number
  /** Bytes that wait for the far end to read, here and on their way to it. */
  readonly bufferedBytesMax: number
  /** How long bytes may wait without the far end reading any, ms; noticed at most a quarter later. */
  readonly drainMs: number
  /** From a polite goodbye to the end of the connection, whatever the far end does, ms. */
  readonly goodbyeMs: number
}

export const limits: Limits = {
  // At 25 ms and 20 % loss each way a mutual TLS connection takes 2.7 s at the 95th percentile, and 7.3 s at worst.
  openingMs: 10_000,
  // A mesh has tens of peers and the kernel 64 strangers; a Linux process may have 1,024 descriptors.
  inboundMax: 512,
  // The oldest gives way: a flood of silent connections keeps nobody out for longer than it takes to shake hands.
  openingMax: 128,
  // Four of the largest messages.
  bufferedBytesMax: 4 * 1_048_576,
  drainMs: 10_000,
  // Long enough for a flush over a bad link, short enough for a node that has 15 s to leave.
  goodbyeMs: 2_000
}

/** Of the HTTP upgrade request, in bytes; ours has 250. */
export const HEADER_BYTES_MAX = 8_192
/** Pieces of one message, as its sender cut it. */
export const FRAGMENTS_MAX = 1_024
/** Pieces of one message, as the network cut it: a megabyte in the smallest packets that still make progress. */
export const CHUNKS_MAX = 16_384
/** Probes under way on one connection; the kernel has three. An answer to a forgotten one is no answer. */
export const PROBES_MAX = 16
/** Of a close frame's reason (RFC 6455 section 5.5), in bytes. */
export const REASON_BYTES_MAX = 123
/** What goes out between two marks, and the longest piece of a message: 3.3 kB/s are always seen within 10 s. */
export const STRIDE_BYTES = 16_384
/** Marks under way: half a megabyte, 20 MB/s at 25 ms there and back. Half of the pings that ws lets wait for their pongs. */
export const MARKS_MAX = 32
/** Of a mark's word, before base64url: nobody guesses it. */
export const MARK_BYTES = 9
/** Looks at a far end for which something waits, per `drainMs`. */
export const STALL_CHECKS = 4
/** Pongs that wait for the far end to read; one that asks for more does not read. */
export const PONGS_MAX = 60
