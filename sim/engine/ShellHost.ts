/**
 * Runs the production shell on a simulated machine: the ports bound to the world, the fibers on a scheduler that runs when the
 * world says so, and the clock of the machine. Whatever the shell waits for is an event of the world's agenda.
 *
 * Everything that an event sets going is run to its end before the next event, as real code runs between two turns of the
 * event loop. Does not model: fibers that interleave with the world in the middle of one instant.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Scheduler from "effect/Scheduler"
import type { Config } from "../../kernel/Config.ts"
import type { Happened } from "../../kernel/Input.ts"
import {
  Advisor,
  Hardware,
  Herald,
  Inbox,
  Inference,
  type InferenceEnd,
  InferenceFailed,
  Keys,
  Messages,
  StoreFailed,
  Timepiece,
  Transport,
  Vault
} from "../../kernel/Ports.ts"
import * as Shell from "../../kernel/Shell.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { Prompt } from "../../kernel/wire/Inference.ts"
import { vaultPort } from "../disk/VaultPort.ts"
import type { Host, HostContext, Kernel } from "./Host.ts"
import type { Machine } from "./Machine.ts"
import type { Said } from "./Models.ts"

/** Tasks of Effect's runtime, run in order when the world drains them. */
class Tasks implements Scheduler.Scheduler, Scheduler.SchedulerDispatcher {
  readonly executionMode = "sync" as const
  private waiting: Array<() => void> = []
  private draining = false

  shouldYield(): boolean {
    return false
  }
  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return this
  }
  scheduleTask(task: () => void): void {
    this.waiting.push(task)
  }
  flush(): void {
    if (this.draining) return
    this.draining = true
    for (let i = 0; i < this.waiting.length; i++) this.waiting[i]!()
    this.waiting = []
    this.draining = false
  }
}

/** The machine's own clocks, and sleep that the agenda ends. */
const clockOf = (machine: Machine, tasks: Tasks): Clock.Clock => {
  const wall = (): number => machine.clock.instant(machine.world.nowMs).wall
  const monoNanos = (): bigint => BigInt(machine.clock.mono(machine.world.nowMs)) * 1_000_000n
  return {
    currentTimeMillisUnsafe: wall,
    currentTimeMillis: Effect.sync(wall),
    currentTimeNanosUnsafe: () => BigInt(wall()) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(wall()) * 1_000_000n),
    monotonicTimeNanosUnsafe: monoNanos,
    monotonicTimeNanos: Effect.sync(monoNanos),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const until = machine.clock.mono(machine.world.nowMs) + Duration.toMillis(duration)
        const forget = machine.wakeAt(until, () => {
          resume(Effect.void)
          tasks.flush()
        })
        return Effect.sync(forget)
      })
  }
}

/** What a model of the machine says, piece by piece; an interrupt stops it, and waits for its end, which is not at once where it ignores that. */
const infer = (
  machine: Machine,
  tasks: Tasks,
  prompt: Prompt,
  say: (delta: string) => Effect.Effect<void>
): Effect.Effect<InferenceEnd, InferenceFailed> =>
  Effect.suspend(() => {
    const waiting: Array<Said> = []
    let wake: (() => void) | null = null
    const number = machine.askModel(prompt, (said) => {
      waiting.push(said)
      wake?.()
      tasks.flush()
    })
    const next: Effect.Effect<Said> = Effect.callback((resume) => {
      const take = (): void => {
        wake = null
        resume(Effect.succeed(waiting.shift()!))
      }
      if (waiting.length > 0) take()
      else wake = take
    })
    const all: Effect.Effect<InferenceEnd, InferenceFailed> = Effect.flatMap(next, (said) => {
      if ("delta" in said) return Effect.andThen(say(said.delta), all)
      if (!("failed" in said)) return Effect.succeed(said)
      const code = said.failed === "LLM_MODEL_UNAVAILABLE" ? said.failed : "INTERNAL_ERROR"
      return Effect.fail(new InferenceFailed({ code, why: said.message }))
    })
    const stopped = Effect.andThen(
      Effect.sync(() => machine.stopModel(number)),
      Effect.exit(all)
    )
    return Effect.onInterrupt(all, () => stopped)
  })

const portsOf = (machine: Machine, tasks: Tasks, context: HostContext) => {
  const { perform } = context
  /** An answer that comes as an event of this instant, behind what is being done now. */
  const answered = <A>(answer: () => A): Effect.Effect<A> =>
    Effect.callback<A>((resume) => {
      machine.wakeAt(machine.clock.mono(machine.world.nowMs), () => {
        resume(Effect.succeed(answer()))
        tasks.flush()
      })
    })
  return Context.make(Timepiece, {
    now: Effect.sync(context.instant),
    ringAt: (mono, ring) =>
      machine.wakeAt(mono, () => {
        ring()
        tasks.flush()
      })
  }).pipe(
    Context.add(Transport, {
      listen: Effect.sync(() => perform({ _tag: "Listen" })),
      dial: (attempt, to, address) => Effect.sync(() => perform({ _tag: "Dial", attempt, to, address })),
      cancelDial: (attempt) => Effect.sync(() => perform({ _tag: "CancelDial", attempt })),
      send: (link, frame) => Effect.sync(() => perform({ _tag: "Send", link, frame })),
      ping: (link, probe) => Effect.sync(() => perform({ _tag: "Ping", link, probe })),
      hangup: (link, code, reason, abrupt) =>
        Effect.sync(() => perform({ _tag: "Hangup", link, code, reason, abrupt })),
      halt: Effect.sync(() => perform({ _tag: "Halt" }))
    }),
    Context.add(
      Vault,
      vaultPort(machine, () => tasks.flush())
    ),
    Context.add(Keys, {
      sign: (payloads) => answered(() => machine.sign(payloads)),
      check: (publicKey, proofs) => answered(() => machine.check(publicKey, proofs))
    }),
    Context.add(Messages, {
      deliver: (channel) => answered(() => machine.handle(channel)),
      streamed: (call, delta) => Effect.sync(() => perform({ _tag: "Streamed", call, seq: 0, delta })),
      answered: (call, outcome) => Effect.sync(() => perform({ _tag: "Answered", call, outcome }))
    }),
    // What it did comes as an input, after as long as the hardware takes.
    Context.add(Hardware, {
      drive: (drive) =>
        Effect.andThen(
          Effect.sync(() => perform(drive)),
          Effect.never
        )
    }),
    // It answers when it does, as an input.
    Context.add(Advisor, {
      consult: (question) =>
        Effect.andThen(
          Effect.sync(() => perform(question)),
          Effect.never
        )
    }),
    Context.add(Inference, { infer: (prompt, say) => infer(machine, tasks, prompt, say) }),
    Context.add(Herald, { tell: (event) => Effect.sync(() => perform({ _tag: "Note", event })) })
  )
}

export const shellHost = (kernel: Kernel, config: Config, context: HostContext, machine: Machine): Host => {
  const tasks = new Tasks()
  const runtime = Context.make(Clock.Clock, clockOf(machine, tasks)).pipe(Context.add(Scheduler.Scheduler, tasks))
  let inbox: Queue.Queue<Happened> | null = null
  let state: NodeState = kernel.make(config)
  const start = ({ amnesia, bootId }: Extract<Happened, { readonly _tag: "Started" }>) => {
    const shell = Shell.run({
      config,
      bootId,
      amnesia: amnesia === true,
      kernel,
      stepped: (before, input, after, commands) => {
        state = after
        context.stepped(before, input, after, commands)
      }
    })
    // The inbox is made in here, because a queue wakes its takers through the scheduler that it was made under.
    const node = Effect.gen(function* () {
      inbox = yield* Inbox
      return yield* shell
    })
    const ports = Context.merge(portsOf(machine, tasks, context), runtime)
    const fiber = Effect.runForkWith(ports)(Effect.provide(node, Inbox.layer))
    fiber.addObserver((exit) => {
      if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
      const error = Cause.squash(exit.cause)
      if (!(error instanceof StoreFailed))
        throw new Error(`the shell of ${machine.name} broke: ${Cause.pretty(exit.cause)}`)
      context.failed(error)
    })
    return fiber
  }
  let fiber: ReturnType<typeof start> | null = null
  return {
    state: () => state,
    deliver: (happened) => {
      // The shell makes its own `Started` from what the vault holds.
      if (happened._tag === "Started") fiber = start(happened)
      else if (inbox === null || !Queue.offerUnsafe(inbox, happened))
        throw new Error(`the inbox of ${machine.name} took no more: ${happened._tag} was lost`)
      tasks.flush()
    },
    kill: () => {
      fiber?.interruptUnsafe()
      tasks.flush()
    }
  }
}
