/**
 * Files that are written whole or not at all: beside their place, and then moved there, so that a full disk spoils nothing that was
 * there and leaves nothing that is cut off.
 *
 * Does not promise: that a file outlives a power cut right after; whoever needs its words runs the command again.
 */
import { renameSync, rmSync, writeFileSync } from "node:fs"

export const writeWhole = (path: string, text: string): void => {
  // Of this process: two campaigns may keep the same run.
  const beside = `${path}.${process.pid}`
  try {
    writeFileSync(beside, text)
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
}

/** Only where nothing is yet; else it throws `EEXIST`. */
export const writeNew = (path: string, text: string): void => {
  try {
    writeFileSync(path, text, { flag: "wx" })
  } catch (error) {
    // Of what was there already nothing was touched; of ours a part may be there.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") rmSync(path, { force: true })
    throw error
  }
}

/** A limit on the size of files, or a quota, is to its user what a full disk is. */
const NO_ROOM: ReadonlyArray<string> = ["ENOSPC", "EDQUOT", "EFBIG"]

const reasons: { readonly [code: string]: string } = {
  EACCES: "it may not be written",
  EISDIR: "it is a folder",
  ENOENT: "there is no such folder",
  ENOTDIR: "a part of its path is not a folder",
  EPERM: "it may not be written",
  EROFS: "the disk may only be read"
}

/** What has to be a folder is none. */
export const isNoFolder = (error: unknown): boolean =>
  ["EEXIST", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")

/** Why a file could not be written. */
export const whyUnwritten = (error: unknown): string => {
  const { code = "", message } = error as NodeJS.ErrnoException
  return NO_ROOM.includes(code) ? "there is no room for it on the disk" : (reasons[code] ?? message)
}
