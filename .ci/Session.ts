/**
 * The commands of one block, typed one after the other into one shell, as a person types them in one terminal: variables and
 * what runs in the background live on from line to line.
 *
 * A command that shows more than it prints is typed again, until it is as shown or the time is over: a mesh takes seconds to
 * form. The block has to end what it started; whatever is left is killed as one process group, by the shell's own id.
 */
import { spawn } from "node:child_process"
import { constants } from "node:os"
import { root } from "./Run.ts"
import { type Command, type Difference, difference, outputLines } from "./Shell.ts"

export interface Typed {
  readonly command: Command
  /** `null`: it did not end in time, or the shell ended under it. */
  readonly code: number | null
  readonly output: string
  readonly differs: Difference | null
  readonly tookMs: number
}

export interface Played {
  /** One for each command, until the first that is not as shown. */
  readonly typed: ReadonlyArray<Typed>
  /** All that was started in the background has ended by itself. */
  readonly tidy: boolean
}

/** Between two attempts at the same command. */
const AGAIN_AFTER_MS = 300
/** For what a block has told to stop: as long as a node may take to leave. */
const TIDY_MS_MAX = 15_000
/** Says with which exit code a command ended: no program prints a record separator (ASCII 0x1e) by itself. */
// oxlint-disable-next-line no-control-regex
const done = /\u001e(\d+)\u001e/u

const sleep = (ms: number): Promise<void> => new Promise((awake) => setTimeout(awake, ms))

/**
 * @param env has what the commands need on its PATH
 * @param tidyMs how long what was started may take to end, once the last command has
 */
export const play = async (
  commands: ReadonlyArray<Command>,
  limitMs: number,
  env: NodeJS.ProcessEnv,
  tidyMs = TIDY_MS_MAX
): Promise<Played> => {
  // One stream for both, so that lines keep their order; a process group of its own, so that it can be ended as one.
  const shell = spawn("bash", ["-c", "exec bash 2>&1"], {
    cwd: root,
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
    env
  })
  let heard = ""
  let over = false
  let wake = (): void => {}
  const hear = (text: string): void => {
    heard += text
    wake()
  }
  shell.stdout.setEncoding("utf8").on("data", hear)
  shell.stdin.on("error", () => {})
  const gone = new Promise<void>((ended) => {
    const end = (): void => {
      over = true
      wake()
      ended()
    }
    shell.once("exit", end)
    shell.once("error", end)
  })

  /** Types one line; what it printed until it ended, or until the time was over. */
  const type = async (
    text: string,
    untilMs: number
  ): Promise<{ readonly code: number | null; readonly output: string }> => {
    heard = ""
    // Braces do not begin a shell of their own. A program that reads would take the next line for its input.
    shell.stdin.write(`{ ${text}\n} </dev/null; printf '\\036%d\\036' $?\n`)
    while (!over && !done.test(heard)) {
      const leftMs = untilMs - performance.now()
      if (leftMs <= 0) break
      await new Promise<void>((go) => {
        const late = setTimeout(go, leftMs)
        wake = () => {
          clearTimeout(late)
          go()
        }
      })
    }
    const [mark, code] = done.exec(heard) ?? [null, null]
    return mark === null
      ? { code: null, output: heard }
      : { code: Number(code), output: heard.slice(0, heard.indexOf(mark)) }
  }

  const untilMs = performance.now() + limitMs
  const typed: Array<Typed> = []
  let stuck = false
  for (const command of commands) {
    const startedMs = performance.now()
    while (true) {
      const { code, output } = await type(command.text, untilMs)
      const differs = command.shown.length === 0 ? null : difference(command.shown, outputLines(output))
      const asShown = code === command.exitCode && differs === null
      stuck = code === null
      const again = !asShown && !stuck && command.shown.length > 0 && performance.now() + AGAIN_AFTER_MS < untilMs
      if (again) {
        await sleep(AGAIN_AFTER_MS)
        continue
      }
      typed.push({ command, code, output, differs, tookMs: performance.now() - startedMs })
      break
    }
    const last = typed.at(-1)!
    if (last.code !== command.exitCode || last.differs !== null) break
  }
  const complete = typed.length === commands.length
  const tidy = !stuck && complete && (await type("wait", performance.now() + tidyMs)).code !== null
  if (shell.pid !== undefined) killGroup(shell.pid)
  await gone
  return { typed, tidy }
}

/** The shell is the first of its group, and is in it until now: the id cannot be another one's. */
const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, constants.signals.SIGKILL)
  } catch {
    // Nobody is left in it.
  }
}
