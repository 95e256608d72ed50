/** The program bound to this process, once it is the process that it is to be; `clawmesh-node.ts` loads this. */
import { homedir, hostname } from "node:os"
import { readBytes } from "../config/Bytes.ts"
import { launch } from "./Launch.ts"
import { program } from "./Program.ts"
import { VERSION } from "./Version.ts"

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
    read: readBytes,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    load: () => import("./Run.ts")
  })
)
