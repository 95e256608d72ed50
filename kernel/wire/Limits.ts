/**
 * Every bound of the wire, with its unit in its name (PROTOCOL.md parts 1 and 4). A peer that stays within them is always
 * understood; beyond them a message is refused before any work that grows with it is done.
 *
 * Bounds in time (handshake, nonce, redial) are in kernel/Profile.ts.
 */

/** A message, in UTF-8 bytes. Generation 1 draws the line here too; a device with 512 MB of memory parses it in passing. */
export const MESSAGE_BYTES_MAX = 1_048_576

/** The `data` of a context frame, serialised: half a message, so that its envelope and a signature always fit as well. */
export const CONTEXT_DATA_BYTES_MAX = 524_288

/**
 * Objects and arrays inside one another, the frame itself included. Our own frames need six; the rest is for what people
 * nest in world data. Far below what would trouble a recursive reader of the result.
 */
export const MESSAGE_DEPTH_MAX = 64

/**
 * Values in one message: members of objects and elements of arrays, counted by their separators. The largest honest message,
 * 500 context frames in one answer, has about 20,000; a megabyte of `[0,0,0…` would have half a million.
 */
export const MESSAGE_VALUES_MAX = 65_536

/** A frame of the lanes for live and bulk data: what waits for one of these waits 13 ms at 10 Mbit/s. */
export const LANE_FRAME_BYTES_MAX = 16_384

/** An `id`, in UTF-16 units: it is echoed and kept while a request is pending. A UUID has 36. */
export const ID_UNITS_MAX = 128

/** A method, an event or an error code, in UTF-16 units: names are counted and shown, so they must not be a way to fill memory. */
export const NAME_UNITS_MAX = 128

/** Names, keys, nonces and signatures of a handshake are far shorter; a stranger can make us hold no more than this of each. */
export const FIELD_CHARS_MAX = 512

/** Capabilities and features of one device. */
export const FIELD_ITEMS_MAX = 256

/** Edges of a row that is kept, whomever its observer trusts besides those whom we do: the largest mesh has a thousand nodes. */
export const ROW_EDGES_MAX = 1_024

/** Counters of peers (incarnations, terms, versions) end here, so that raising one of ours above them stays exact. */
export const COUNTER_MAX = 281_474_976_710_656
