/**
 * Ends a process whose loop stands still for good, so that whoever supervises it starts it again.
 *
 * systemd's own (`WatchdogSec=`) wants to be told over a Unix datagram socket, which Node cannot open, and what `systemd-notify` says for
 * another process may be lost. A worker thread would take ten megabytes. So it is a shell that reads a beat from a pipe: where none
 * comes for twice `SILENT_S`, it ends the process by SIGALRM, a signal that nothing else here sends. It ends by itself with the process.
 *
 * Twice, because a machine that wakes up finds the first time over: the process has the second one to show that it is there.
 * Does not see: a loop that runs while the kernel makes no turns; `/healthz` does. Where `sh`, `timeout` or `head` is missing, nothing.
 */
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import type { Every } from "./Carrier.ts"

export const BEAT_MS = 10_000
export const SILENT_S = 20

const SCRIPT = `late=0
while :; do
  said=$(timeout "$1" head -c 1); code=$?
  if [ "$code" = 0 ]; then [ "$said" = . ] || exit 0; late=0
  elif [ "$code" != 124 ]; then exit 0
  elif [ "$late" = 0 ]; then late=1
  else echo "clawmesh-node: its loop has stood still for $(($1 * 2)) s: ended, to be started again" >&2; kill -ALRM "$2"; exit 0
  fi
done`

/** Runs until it is interrupted. */
export const watch = (every: Every, beatMs = BEAT_MS, silentS = SILENT_S): Effect.Effect<never> =>
  Effect.callback<never>(() => {
    const shell = spawn("sh", ["-c", SCRIPT, "clawmesh-watchdog", String(silentS), String(process.pid)], {
      stdio: ["pipe", "ignore", "inherit"]
    })
    // Without a shell there is no watchdog, and a node all the same.
    shell.on("error", () => {})
    shell.stdin.on("error", () => {})
    shell.unref()
    const beat = (): void => void (shell.stdin.writableLength === 0 && shell.stdin.write("."))
    beat()
    const stop = every(beatMs, beat)
    return Effect.sync(() => {
      stop()
      shell.stdin.end()
    })
  })
