/**
 * Why a node does not start on its state directory (B11), in words for people: where, what is wrong, and how to go on. None of
 * these goes away by itself, but for another process and a full disk, so trying again does not help.
 */
import * as Schema from "effect/Schema"

export class StateRefused extends Schema.TaggedError<StateRefused>()("StateRefused", {
  reason: Schema.Literals([
    /** Another process uses the directory. */
    "Busy",
    /** The directory or a file in it cannot be made, read, written or locked. */
    "Unusable",
    /** There is a journal, but no identity that it belongs to. */
    "IdentityMissing",
    "IdentityDamaged",
    "JournalDamaged",
    /** The journal was kept aside, or a snapshot that it builds on is gone. */
    "JournalMissing",
    /** Sound, but written by another version of the program. */
    "OtherVersion"
  ]),
  /** The file or directory. */
  path: Schema.String,
  problem: Schema.String,
  wayOut: Schema.String,
  /** The disk has no room for now: starting again may help. */
  passes: Schema.optionalKey(Schema.Literal(true))
}) {
  override get message() {
    return `${this.path}: ${this.problem}\n${this.wayOut}`
  }
}
