/**
 * What runs the kernel on a simulated machine. `FastHost` calls `step` directly; `ShellHost` runs the production shell on the
 * world's scheduler. The machine cannot tell which: both take inputs without an instant, and hand back commands. Only what
 * `FastHost` runs can be copied in the middle of a run: a fiber cannot.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Config } from "../../kernel/Config.ts"
import type { Happened, Input } from "../../kernel/Input.ts"
import * as Node from "../../kernel/Node.ts"
import type { StoreFailed } from "../../kernel/Ports.ts"
import type { Instant } from "../../kernel/Time.ts"

/** A kernel as a pair of functions, so that tests can run a broken one. */
export interface Kernel {
  readonly make: (config: Config) => Node.NodeState
  readonly step: (node: Node.NodeState, input: Input) => Node.Step
}

export const kernel: Kernel = { make: Node.make, step: Node.step }

/** What a host needs of its machine. */
export interface HostContext {
  readonly instant: () => Instant
  readonly perform: (command: Command) => void
  /** After each step, before its commands are performed. */
  readonly stepped: (
    before: Node.NodeState,
    input: Input,
    after: Node.NodeState,
    commands: ReadonlyArray<Command>
  ) => void
  /** A shell ended because something could not be stored. */
  readonly failed: (error: StoreFailed) => void
}

export interface Host {
  readonly state: () => Node.NodeState
  readonly deliver: (happened: Happened) => void
  /** The process ends now; nothing is performed any more. */
  readonly kill: () => void
  /** The same process on another machine, in a fork of its world; absent: it cannot be copied, as fibers cannot. */
  readonly fork?: (kernel: Kernel, context: HostContext) => Host
}

export const fastHost = ({ make, step }: Kernel, config: Config, context: HostContext): Host =>
  running(make(config), step, context)

const running = (from: Node.NodeState, step: Kernel["step"], context: HostContext): Host => {
  let node = from
  let alive = true
  return {
    state: () => node,
    deliver: (happened) => {
      const input = { ...happened, at: context.instant() } as Input
      const before = node
      const [after, commands] = step(before, input)
      node = after
      context.stepped(before, input, after, commands)
      for (let i = 0; i < commands.length && alive; i++) context.perform(commands[i]!)
    },
    kill: () => {
      alive = false
    },
    fork: (kernel, there) => running(node, kernel.step, there)
  }
}
