/** Steps of a timeline as the language writes them: the way back from `Timeline.ts`. */
import type { Delay } from "../network/Delay.ts"
import type { Flow } from "./Flow.ts"
import type { LinkRule, Scenario, Step, Target, Verb } from "./Scenario.ts"
import { pathWords } from "./WritePaths.ts"
import { showRate, showShare, showSize, showTime, showTimes } from "./Units.ts"

/** What the language has no words for. */
export class Unwritable extends Error {}

type Written = { readonly [key: string]: Flow | undefined }

const targetWords = (target: Target, scenario: Scenario): string => {
  if (typeof target === "string") return target
  switch (target.word) {
    case "majority without the leader":
      return "a majority without the leader"
    case "any":
      return `any ${target.role}`
    case "everyone but":
      return `everyone but ${target.but.map((one) => targetWords(one, scenario)).join(", ")}`
    case "one of":
      return target.groups.length === scenario.nodes.length && target.groups.every(({ length }) => length === 1)
        ? "any node"
        : "any site"
    default:
      return target.word
  }
}

const delayWords = (delay: Delay | null): Flow | undefined => {
  switch (delay?._tag) {
    case undefined:
      return undefined
    case "constant":
      return showTime(delay.ms)
    case "uniform":
      return showTimes(delay.ms)
    case "bimodal":
      return { usual: showTimes(delay.usual), rarely: showTimes(delay.rare), share: showShare(delay.rarePpm) }
    case "exponential":
      return { least: showTime(delay.leastMs), more: showTime(delay.moreMs) }
    case "heavy-tail":
      return { least: showTime(delay.leastMs), most: showTime(delay.mostMs) }
    case "table":
      return { table: delay.ms.map(showTime) }
  }
}

const ruleWords = (rule: LinkRule): Written => {
  switch (rule._tag) {
    case "slow":
      return { delay: delayWords(rule.delay), loss: rule.lossPpm === null ? undefined : showShare(rule.lossPpm) }
    case "offset":
      return { adds: showTimes(rule.ms) }
    case "flap":
      return { down: showTimes(rule.cutMs), up: showTimes(rule.openMs) }
    case "swizzle":
      return {
        over: showTime(rule.cutOverMs),
        "heal-after": showTime(rule.healAfterMs),
        "heal-over": showTime(rule.healOverMs)
      }
    case "capacity":
      return { "down-to": `${showSize(rule.bytesPerSecond)}/s` }
    case "burst-loss":
      return { begins: showShare(rule.enterPpm), ends: showShare(rule.leavePpm), loss: showShare(rule.badPpm) }
    case "half-open":
      return { "known-to": rule.told ? undefined : "nobody", answer: rule.answer === "reset" ? undefined : rule.answer }
    case "idle-cut":
      return { after: showTime(rule.idleMs), answer: rule.answer === "silence" ? undefined : rule.answer }
    case "duplicate":
      return {
        share: showShare(rule.ppm),
        late: showTimes(rule.lateMs),
        over: rule.anywhere ? "any connection" : undefined
      }
    case "reorder":
      return { share: showShare(rule.ppm), behind: `at most ${rule.places}` }
    case "lies":
      return { share: showShare(rule.ppm), with: rule.kind }
    case "late-close":
      return { late: showTimes(rule.lateMs) }
    case "corrupt":
    case "lossy-close":
    case "datagram-loss":
      return { share: showShare(rule.ppm) }
    case "clog":
    case "reset":
      return {}
    case "cut":
      throw new Unwritable("a cut is a verb of its own")
  }
}

const harms = { hang: "hanging", error: "failing", full: "full" } as const

const verbWords = (verb: Verb, scenario: Scenario): Written => {
  const list = (targets: ReadonlyArray<Target>): ReadonlyArray<string> =>
    targets.map((target) => targetWords(target, scenario))
  const who = (targets: ReadonlyArray<Target>): Flow => {
    const words = list(targets)
    return words.length === 1 ? words[0]! : words
  }
  switch (verb._tag) {
    case "start":
    case "restart":
    case "stop":
    case "suspend":
    case "isolate":
    case "unplug":
    case "move":
    case "hold":
    case "jam":
    case "uncouple":
    case "stop-engine":
      return { [verb._tag]: who(verb.who) }
    case "freeze":
      return { freeze: verb.in === undefined ? who(verb.who) : { who: who(verb.who), in: verb.in } }
    case "crash":
      return {
        crash:
          verb.disk === undefined
            ? who(verb.who)
            : { who: who(verb.who), disk: verb.disk === "keep" ? "kept" : verb.disk }
      }
    case "crash-at-write":
      return { "crash-at-write": { who: who(verb.who), after: `exactly ${verb.nth - 1}` } }
    case "slow-cpu":
      return { "slow-cpu": { who: who(verb.who), takes: showTimes(verb.takesMs) } }
    case "disk":
      return {
        disk: {
          who: who(verb.who),
          ...(typeof verb.harm === "string" ? { is: harms[verb.harm] } : { slow: showTimes(verb.harm) })
        }
      }
    case "skew": {
      const { how } = verb
      const words =
        how._tag === "by"
          ? { by: showTime(how.ms) }
          : how._tag === "rate"
            ? { rate: showRate(how.ppm) }
            : { to: how.calendar === "1970" ? 1970 : how.calendar }
      return { skew: { who: who(verb.who), ...words } }
    }
    case "cut":
      if (verb.oneWay) return { cut: { from: who(verb.from), to: who(verb.to) } }
      // Of several on a side a partition cuts the same links.
      return verb.from.length === 1 && verb.to.length === 1
        ? { cut: [...list(verb.from), ...list(verb.to)] }
        : { partition: [list(verb.from), list(verb.to)] }
    case "partition":
      return { partition: verb.groups.map(list) }
    case "heal":
      if (verb.usual !== undefined) return { heal: { what: "everything", paths: pathWords(verb.usual) } }
      return { heal: verb.what === "everything" ? verb.what : who(verb.what) }
    case "trust":
      return { trust: { by: who(verb.by), whom: verb.whom, as: verb.role } }
    case "revoke":
      return { revoke: { by: who(verb.by), whom: verb.whom } }
    case "appoint":
      return {
        appoint: {
          at: who(verb.who),
          electors: verb.electors,
          readmits: verb.readmits.length === 0 ? undefined : who(verb.readmits)
        }
      }
    case "keys-fail":
      return { "keys-fail": { who: who(verb.who), at: verb.at === "sign" ? "signing" : "checking" } }
    case "connect":
      return {
        connect: {
          to: who(verb.to),
          as: verb.as ?? undefined,
          with: verb.lie === "its own key" ? undefined : verb.lie,
          through: verb.through,
          over: verb.over
        }
      }
    case "ask":
      return { ask: { from: verb.from, to: verb.to, each: showTime(verb.eachMs) } }
    case "send": {
      const { channel, from, holds, key, sets, to } = verb
      const said = { from, to, channel: channel === "notes" ? undefined : channel, key: key ?? undefined, holds }
      if (sets === undefined) return { send: said }
      const { actuator, evidence, forMs, state, underLast } = sets
      const lease = underLast ? { lease: "last" } : {}
      return { send: { ...said, sets: actuator, state, lasting: showTime(forMs), evidence, ...lease } }
    }
    case "propose":
      return {
        propose: {
          proposal: verb.proposal,
          by: who(verb.who),
          run: verb.actuator,
          action: verb.state,
          for: showTime(verb.forMs),
          because: verb.because,
          again: verb.again === true ? "meant" : undefined,
          wish: verb.alone ? "its own" : undefined
        }
      }
    case "infer":
      return { infer: { request: verb.request, from: verb.from, to: verb.to, model: verb.model } }
    case "call-off":
      return { "call-off": { request: verb.request } }
    case "approve":
    case "reject":
      return {
        [verb._tag]: {
          proposal: verb.proposal,
          by: verb.by,
          via: who(verb.who),
          types: verb.typed,
          with: verb.signedWith
        }
      }
    case "sense": {
      const { pad, ...data } = verb.data
      const { measures, shows } = verb
      return {
        sense: {
          frame: verb.frame,
          by: who(verb.who),
          kind: verb.kind === "observation" ? undefined : verb.kind,
          ...(data as { readonly [key: string]: Flow }),
          shows,
          measures,
          size: typeof pad === "string" ? showSize(pad.length) : undefined,
          times: verb.times === 1 ? undefined : `exactly ${verb.times}`,
          each: verb.times === 1 ? undefined : showTime(verb.eachMs),
          "follows-from": verb.causes
        }
      }
    }
    case "advertise":
      return {
        advertise: {
          node: verb.node,
          incarnation: verb.incarnation === "current" ? undefined : verb.incarnation,
          address: verb.address === null ? "nowhere" : verb.address,
          mesh: verb.anotherMesh ? "another" : undefined,
          copies: verb.copies === 1 ? undefined : `exactly ${verb.copies}`,
          "heard-by": who(verb.heardBy)
        }
      }
    case "replay":
      return { replay: { from: verb.from, to: verb.to, message: verb.message } }
    default: {
      const ends = verb.oneWay ? { from: who(verb.from), to: who(verb.to) } : { between: who(verb.from) }
      const told = verb.oneWay && verb.rule._tag === "reset" && verb.rule.ends === "both" ? { told: "both" } : {}
      return { [verb._tag]: { ...ends, ...told, ...ruleWords(verb.rule) } }
    }
  }
}

export const stepWords = (step: Step, scenario: Scenario): Written => ({
  at: showTime(step.atMs),
  id: step.id ?? undefined,
  ...verbWords(step.verb, scenario),
  for: step.forMs === null ? undefined : showTime(step.forMs),
  key: step.key,
  note: step.note ?? undefined
})
