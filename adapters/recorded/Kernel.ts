/**
 * Which kernel this is: a digest of its files, the same in a checkout and in what is shipped, where `pnpm build` writes it in. A
 * recording says by which it was made, and only that one is bound to do the same.
 */
import { createHash } from "node:crypto"
import { globSync, readFileSync } from "node:fs"
import { resolve } from "node:path"

declare const CLAWMESH_KERNEL: string | undefined

const DIGITS = 12

/** Of the kernel in a checkout. */
export const digestOf = (root: string): string => {
  const hash = createHash("sha256")
  for (const file of globSync("kernel/**/*.ts", { cwd: root }).toSorted())
    hash.update(`${file}\n`).update(readFileSync(resolve(root, file)))
  return hash.digest("hex").slice(0, DIGITS)
}

let known: string | null = null

/** 12 hex digits. */
export const kernelDigest = (): string => {
  known ??= typeof CLAWMESH_KERNEL === "string" ? CLAWMESH_KERNEL : digestOf(resolve(import.meta.dirname, ".."))
  return known
}
