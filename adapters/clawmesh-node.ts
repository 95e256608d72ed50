#!/usr/bin/env node
/** `clawmesh-node`: becomes the process that the program is to run in, then loads it. Nothing else, to be small. */
import { relaunch } from "./node/Relaunch.ts"

relaunch({
  argv: process.argv,
  execArgv: process.execArgv,
  execPath: process.execPath,
  env: process.env,
  connected: process.connected === true,
  execve: typeof process.execve === "function" ? process.execve.bind(process) : undefined
})

// No top-level await: what is shipped is CommonJS.
void import("./node/Main.ts")
