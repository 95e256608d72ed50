/**
 * `timing:`, constants of the kernel in place of the profile's: their words, and what has to hold among them for the kernel to
 * keep its promises. The words are the names of kernel/Profile.ts without the unit, with hyphens.
 */
import { profiles, type Profile } from "../../kernel/Profile.ts"
import type { Language } from "./Language.ts"
import { type Reading, valueOf } from "./Names.ts"
import type { Draft } from "./Shape.ts"
import type { Path } from "./Tree.ts"
import { readCount, readTime, showTime } from "./Units.ts"

export type Timing = Partial<Omit<Profile, "name">>
type Constant = keyof Omit<Profile, "name">
type Several = "probationMs" | "repeatMs"
type Single = Exclude<Constant, Several>

/** Every constant that is one number, by its word. */
const words: ReadonlyArray<readonly [word: keyof NonNullable<Language["timing"]>, constant: Single]> = [
  ["beat", "beatMs"],
  ["probe-deadline", "probeDeadlineMs"],
  ["probe-deadline-min", "probeDeadlineMinMs"],
  ["probe-deadline-max", "probeDeadlineMaxMs"],
  ["misses-to-bad", "missesToBad"],
  ["misses-to-bad-few-observers", "missesToBadFewObservers"],
  ["few-observers", "fewObservers"],
  ["misses-of-ten-to-bad", "missesOfTenToBad"],
  ["misses-to-terminate", "missesToTerminate"],
  ["slow-beats", "slowBeats"],
  ["doubt", "doubtMs"],
  ["cover-after", "coverAfterMs"],
  ["spread", "spreadMs"],
  ["drain", "drainMs"],
  ["deaf", "deafMs"],
  ["stall", "stallMs"],
  ["stall-voids-lease", "stallVoidsLeaseMs"],
  ["flap-forgiven", "flapForgivenMs"],
  ["own-word", "ownWordMs"],
  ["lead", "leadMs"],
  ["lease", "leaseMs"],
  ["promise", "promiseMs"],
  ["rank", "rankMs"],
  ["candidacy", "candidacyMs"],
  ["candidacy-max", "candidacyMaxMs"],
  ["higher-dials-after", "higherDialsAfterMs"],
  ["redial", "redialMs"],
  ["redial-max", "redialMaxMs"],
  ["redial-refused", "redialRefusedMs"],
  ["redial-reset", "redialResetMs"],
  ["handshake", "handshakeMs"],
  ["nonce", "nonceMs"],
  ["displace-probe", "displaceProbeMs"]
]
/** And those that are several. */
const lists: ReadonlyArray<readonly [word: "probation" | "repeat", constant: Several, such: string]> = [
  ["probation", "probationMs", "[2s, 30s]"],
  ["repeat", "repeatMs", "[230ms, 460ms]"]
]
const wordOf = new Map<Constant, string>([...words, ...lists].map(([word, constant]) => [constant, word]))

/** How wrong the rate of a clock may be, either way, in tenths (the fault model of S1 and L1). */
const SLOWEST = 7
const FASTEST = 13

interface Rule {
  readonly of: ReadonlyArray<Constant>
  readonly holds: (profile: Profile) => boolean
  readonly why: string
}

const atMost = (less: Single, more: Single, why: string, times = 1): Rule => ({
  of: [less, more],
  holds: (profile) => times * profile[less] <= profile[more],
  why
})
const below = (less: Single, more: Single, why: string): Rule => ({
  of: [less, more],
  holds: (profile) => profile[less] < profile[more],
  why
})

/** What every profile keeps; test/kernel/Profile.test.ts asks the same of those of the kernel. */
export const rules: ReadonlyArray<Rule> = [
  {
    of: ["leaseMs", "promiseMs"],
    holds: ({ leaseMs, promiseMs }) => leaseMs * FASTEST < promiseMs * SLOWEST,
    why: "a lease on a clock that is 30 % slow has to end before a promise on one that is 30 % fast (S1): promise: is more than 1.86 times lease:"
  },
  atMost("leadMs", "leaseMs", "two heartbeats of a leader fit into its lease, so that one may be lost", 2),
  atMost(
    "leadMs",
    "promiseMs",
    "four heartbeats of a leader fit into a promise, so that no voter stands against it",
    4
  ),
  below("stallMs", "stallVoidsLeaseMs", "a stall is noticed before it voids the lease"),
  below("stallVoidsLeaseMs", "leaseMs", "a stall voids the lease before the lease ends by itself"),
  atMost("rankMs", "candidacyMs", "the second in rank has stood before the first tries again"),
  below("candidacyMs", "candidacyMaxMs", "candidacies in vain slow down"),
  atMost("probeDeadlineMinMs", "probeDeadlineMs", "deadlines of probes are in order"),
  atMost("probeDeadlineMs", "probeDeadlineMaxMs", "deadlines of probes are in order"),
  below("probeDeadlineMs", "beatMs", "a probe is answered, or missed, before the next one"),
  below("missesToBad", "missesToBadFewObservers", "few observers ask more often than many"),
  atMost("missesToBadFewObservers", "missesToTerminate", "a connection is ended when its edge is bad, not before"),
  {
    of: ["probationMs"],
    holds: ({ probationMs }) => probationMs.every((ms, place) => place === 0 || ms > probationMs[place - 1]!),
    why: "the probation grows with each flap"
  },
  {
    of: ["repeatMs", "probeDeadlineMs"],
    holds: ({ probeDeadlineMs, repeatMs }) =>
      repeatMs.every((ms, place) => ms > (repeatMs[place - 1] ?? 0) && ms < probeDeadlineMs),
    why: "a probe is pinged again, later each time, before it is missed"
  },
  below("redialMs", "redialMaxMs", "redials slow down"),
  below("redialMaxMs", "redialRefusedMs", "a lasting refusal is waited out for longer than any failure"),
  below("redialMaxMs", "redialResetMs", "a link that lasts is one that outlives the longest wait between redials"),
  atMost("handshakeMs", "nonceMs", "a nonce outlives the handshake that it is for"),
  below(
    "displaceProbeMs",
    "handshakeMs",
    "whether a session still answers is known before the newcomer's handshake is over"
  )
]

/** The way back: the heading as it is written. */
export const writtenTiming = (timing: Timing): { readonly [word: string]: string | ReadonlyArray<string> } =>
  Object.fromEntries(
    Object.entries(timing).map(([constant, value]) => {
      const word = wordOf.get(constant as Constant) ?? constant
      if (typeof value !== "number") return [word, value.map(showTime)]
      return [word, constant.endsWith("Ms") ? showTime(value) : `exactly ${value}`]
    })
  )

const shown = (constant: Constant, profile: Profile): string => {
  const value = profile[constant]
  const said =
    typeof value !== "number" ? value.map(showTime).join(", ") : constant.endsWith("Ms") ? showTime(value) : `${value}`
  return `${wordOf.get(constant)} ${said}`
}

export const readTiming = (
  reading: Reading,
  draft: Draft<NonNullable<Language["timing"]>>,
  base: Profile["name"]
): Timing => {
  const { mistakes, tree } = reading
  const timing: { -readonly [K in keyof Timing]: Timing[K] } = {}
  const time = (text: string | undefined, path: Path): number | null => {
    const ms = valueOf(reading, path, text, readTime)
    if (ms === 0) mistakes.add(tree.value(path), "a constant of the kernel is more than nothing")
    return ms
  }
  for (const [word, constant] of words) {
    const path = ["timing", word]
    const text = draft[word] as string | undefined
    if (constant.endsWith("Ms")) {
      const ms = time(text, path)
      if (ms !== null) timing[constant] = ms
      continue
    }
    const count = valueOf(reading, path, text, readCount)
    if (count === null) continue
    if (count.how !== "exactly" || count.n === 0)
      mistakes.add(tree.value(path), "write exactly how many, such as exactly 2")
    timing[constant] = count.n
  }
  for (const [word, constant, such] of lists) {
    const times = draft[word]?.map((text, place) => time(text, ["timing", word, place]))
    if (times?.length === 0) mistakes.add(tree.value(["timing", word]), `the list is empty; write ${such}`)
    else if (times !== undefined) timing[constant] = times.map((ms) => ms ?? 1)
  }
  const profile: Profile = { ...profiles[base], ...timing }
  const written = tree.keys(["timing"])
  for (const { holds, of, why } of rules) {
    const guilty = of.map((constant) => wordOf.get(constant))
    const last = written.findLast((word) => guilty.includes(word))
    if (last === undefined || holds(profile)) continue
    mistakes.add(tree.value(["timing", last]), `${why} (here ${of.map((one) => shown(one, profile)).join(" and ")})`)
  }
  return timing
}
