/** The bytes of a file that somebody has named, also of a pipe, and never more than it has to read: the path may name anything. */
import { closeSync, openSync, readSync } from "node:fs"
import { BYTES_MAX, type ReadBytes } from "./ConfigFile.ts"

export const readBytes: ReadBytes = (path) => {
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
