/** The program bound to this process, once it is the process that it is to be; `clawmesh-node.ts` loads this. */
import { closeSync, openSync, readSync } from "node:fs"
import { homedir, hostname } from "node:os"
import { BYTES_MAX, type ReadBytes } from "../config/ConfigFile.ts"
import { launch } from "./Launch.ts"
import { program } from "./Program.ts"
import { VERSION } from "./Version.ts"

/** Also of a pipe, and never more than it has to: the path may name anything. */
const read: ReadBytes = (path) => {
  const bytes = Buffer.alloc(BYTES_MAX + 1)
  let length = 0
  try {
    const file = openSync(path, "r")
    try {
      for (let got = -1; got !== 0 && length < bytes.length; length += got)
        got = readSync(file, bytes, length, bytes.length - length, null)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    return { failed: (error as NodeJS.ErrnoException).code ?? String(error) }
  }
  return { bytes: bytes.subarray(0, length) }
}

launch(
  "clawmesh-node",
  program({
    args: process.argv.slice(2),
    environment: process.env,
    cwd: process.cwd(),
    home: homedir(),
    hostName: hostname(),
    root: process.getuid?.() === 0,
    version: VERSION,
    read,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    load: () => import("./Run.ts")
  })
)
