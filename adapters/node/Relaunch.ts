/**
 * A node in a process that was set for little memory from its first moment, however it was started: what V8 and the C library
 * want to be told before they begin is told by a process that becomes another (`execve`), with the same number, streams and
 * words. `clawmesh-node.service` tells the same, and is then left as it is.
 *
 * Promises: done at most once, before anything of ours is loaded, and never a reason not to start. Where the process cannot
 * become another (Node before 22.15, Windows, a parent that speaks to it over Node's own channel), it goes on as it is and takes
 * some 5 MB more.
 */

/**
 * Of glibc; another C library does not look at them. One arena for all threads; what is freed goes back: of 32 kB and more at
 * once, the rest from 64 kB on at the end of the heap, where something small that stays may lie behind it. By itself glibc
 * would raise that bound with the first large thing that is freed, the text of the program.
 */
const MALLOC: { readonly [name: string]: string } = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_MMAP_THRESHOLD_: "32768",
  MALLOC_TRIM_THRESHOLD_: "65536",
  MALLOC_TOP_PAD_: "16384"
}
/** Young objects get 1 MB and not up to 16: nothing here makes many. */
const YOUNG = "--max-semi-space-size"
const YOUNG_MB = 1

export interface Process {
  readonly argv: ReadonlyArray<string>
  readonly execArgv: ReadonlyArray<string>
  readonly execPath: string
  readonly env: NodeJS.ProcessEnv
  /** Whether the parent holds a channel to this process, which would not survive. */
  readonly connected: boolean
  readonly execve: ((file: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv) => never) | undefined
}

/** Returns where it did not become another process. A system that refuses it after Node has let go of everything ends it. */
export const relaunch = ({ argv, connected, env, execArgv, execPath, execve }: Process): void => {
  const [, script, command] = argv
  // Every other command is over before it would have paid.
  if (command !== "run" || script === undefined || connected || execve === undefined) return
  // Somebody has set one of them: the unit, a person, or we.
  if (Object.keys(MALLOC).some((name) => env[name] !== undefined)) return
  const said = `${execArgv.join(" ")} ${env["NODE_OPTIONS"] ?? ""}`.replaceAll("_", "-")
  const young = said.includes(YOUNG) ? [] : [`${YOUNG}=${YOUNG_MB}`]
  try {
    execve(execPath, [execPath, ...execArgv, ...young, script, ...argv.slice(2)], { ...env, ...MALLOC })
  } catch {
    // Node's own permissions forbid it: then as it is.
  }
}
