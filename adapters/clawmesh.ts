#!/usr/bin/env node
/** `clawmesh`, the operator's hand tool: binds the command to this process, nothing more. */
import { spawn } from "node:child_process"
import { homedir, hostname } from "node:os"
import { createInterface } from "node:readline/promises"
import { command } from "./cli/Command.ts"
import { exits } from "./cli/Exit.ts"
import { VERSION } from "./node/Version.ts"

// The reader of a pipe may leave early (`events -f | head`): that is its right, and our end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error
    process.exit(exits.done)
  })
}

const ask = async (question: string): Promise<string> => {
  const line = createInterface({ input: process.stdin, output: process.stdout })
  try {
    // The end of what is typed, in place of an answer, is none.
    return await Promise.race([
      line.question(question),
      new Promise<string>((end) => line.once("close", () => end("")))
    ])
  } finally {
    line.close()
  }
}

const run = (words: ReadonlyArray<string>): Promise<number | null> =>
  new Promise((end) => {
    const child = spawn(words[0]!, words.slice(1), { stdio: "inherit" })
    // The terminal tells it, too; we end with it.
    process.on("SIGINT", () => {})
    child.once("error", () => end(null))
    child.once("exit", (exit, signal) => end(signal === null ? exit : exits.done))
  })

const code = command(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  home: homedir(),
  isRoot: process.getuid?.() === 0,
  version: VERSION,
  hostName: hostname(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  ask: process.stdin.isTTY && process.stdout.isTTY ? ask : null,
  isTerminal: process.stdout.isTTY,
  run,
  nowMs: () => Date.now()
})

// No top-level await: what is shipped is CommonJS.
void code.then((exit) => {
  process.exitCode = exit
})
