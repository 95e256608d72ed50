/**
 * From the words of the command line to the bytes of scenario files, or to sentences that say what is wrong and the way out.
 *
 * Every mistake of every word is found in one go. Reads at most one byte more than a scenario may have, and only regular
 * files and pipes, so that no argument makes it wait or fill the memory.
 */
import { closeSync, existsSync, fstatSync, globSync, openSync, readdirSync, readSync, statSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { nearest } from "../scenario/Spelling.ts"

export interface Source {
  /** As the user wrote it, or as the pattern gave it. */
  readonly file: string
  readonly bytes: Uint8Array
}

/** One byte above the bound of the reader, which then says that the file is too large. */
const BYTES_READ_MAX = 1_048_576 + 1

const isPattern = (word: string): boolean => /[*?[\]{}]/u.test(word)

const scenarioFiles = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder)
      .filter((name) => /\.ya?ml$/u.test(name))
      .toSorted()
  } catch {
    return []
  }
}

/** A file like `file`: in the same folder, or of the same name among the project's scenarios. */
const similar = (cwd: string, file: string): string | null => {
  const folder = dirname(file)
  const name = file.slice(file.lastIndexOf("/") + 1)
  const beside = nearest(name, scenarioFiles(resolve(cwd, folder)))
  if (beside !== null) return folder === "." && !file.startsWith("./") ? beside : join(folder, beside)
  const known = scenarioFiles(resolve(cwd, "scenarios"))
  const there = known.includes(name) ? name : nearest(name, known)
  return there === null ? null : `scenarios/${there}`
}

/** Answers a word that is neither a command nor a file. */
export const unknownWord = (cwd: string, word: string, commands: ReadonlyArray<string>): string => {
  const known = scenarioFiles(resolve(cwd, "scenarios"))
  const titles = known.map((name) => name.replace(/\.ya?ml$/u, ""))
  const at = titles.indexOf(word) === -1 ? titles.indexOf(nearest(word, titles) ?? "") : titles.indexOf(word)
  const command = nearest(word, commands)
  const meant =
    known[at] === undefined ? (command === null ? null : `pnpm sim ${command}`) : `pnpm sim scenarios/${known[at]}`
  const wayOut =
    meant === null ? "a scenario is named by its path, such as scenarios/failover.yaml" : `did you mean ${meant}?`
  return `no command ${JSON.stringify(word)}; ${wayOut}`
}

const expand = (
  cwd: string,
  word: string
): { readonly files: ReadonlyArray<string>; readonly problems: ReadonlyArray<string> } => {
  if (!isPattern(word) || existsSync(resolve(cwd, word))) return { files: [word], problems: [] }
  const files = globSync(word, { cwd })
    .filter((file) => /\.ya?ml$/u.test(file))
    .toSorted()
  if (files.length === 0) return { files, problems: [whyNothing(cwd, word)] }
  return { files, problems: unreadable(cwd, word).map((folder) => reasons["EACCES"]!(folder)) }
}

/** Folders that the pattern leads into and that may not be read: what is in there would be left out without a word. */
const unreadable = (cwd: string, word: string): ReadonlyArray<string> => {
  const closed = new Set<string>()
  const parts = word.split("/").slice(0, -1)
  for (let depth = 1; depth <= parts.length; depth++) {
    const prefix = parts.slice(0, depth).join("/")
    for (const entry of prefix === "" ? [] : globSync(prefix, { cwd, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      if (!entry.isDirectory() || isReadable(path)) continue
      closed.add(word.startsWith("/") ? path : relative(cwd, path))
    }
  }
  return [...closed].toSorted()
}

const isReadable = (folder: string): boolean => {
  try {
    readdirSync(folder)
    return true
  } catch {
    return false
  }
}

/** A pattern that matches nothing: because of the folder that it begins with, or because nothing in there does. */
const whyNothing = (cwd: string, word: string): string => {
  const parts = word.split("/").slice(0, -1)
  const plain = parts.findIndex(isPattern)
  const folder = parts.slice(0, plain === -1 ? undefined : plain).join("/") || (word.startsWith("/") ? "/" : ".")
  try {
    readdirSync(resolve(cwd, folder))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === "ENOENT") return `${word} matches no scenario: there is no folder ${folder}`
    return reasons[code ?? ""]?.(folder) ?? `${folder} cannot be read: ${message}`
  }
  return `${word} matches no scenario; ls ${folder} shows what is there`
}

const reasons: { readonly [code: string]: (file: string) => string } = {
  EACCES: (file) => `${file} may not be read; ls -ld ${file} shows who may`,
  EPERM: (file) => `${file} may not be read; ls -ld ${file} shows who may`,
  ENOTDIR: (file) => `no file ${file}: a part of its path is not a folder`,
  ENAMETOOLONG: () => "no such file: the name is longer than any can be",
  ELOOP: (file) => `${file} is a link that leads back to itself`
}

/** Why a file that is there cannot be read. */
export const whyUnreadable = (file: string, error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return reasons[code ?? ""]?.(file) ?? `${file} cannot be read: ${message}`
}

const read = (cwd: string, file: string): Source | { readonly problem: string } => {
  try {
    const path = resolve(cwd, file)
    const kind = statSync(path)
    if (kind.isDirectory()) return { problem: `${file} is a folder; did you mean "${join(file, "*.yaml")}"?` }
    if (!kind.isFile() && !kind.isFIFO()) return { problem: `${file} is not a file; a scenario is a text file` }
    return { file, bytes: readBounded(path) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      const meant = similar(cwd, file)
      return { problem: `no file ${file}; ${meant === null ? "look with ls scenarios" : `did you mean ${meant}?`}` }
    }
    return { problem: whyUnreadable(file, error) }
  }
}

const readBounded = (path: string): Uint8Array => {
  const handle = openSync(path, "r")
  try {
    const { size } = fstatSync(handle)
    // A pipe has no size.
    const bytes = new Uint8Array(size > 0 ? Math.min(size, BYTES_READ_MAX) : BYTES_READ_MAX)
    let filled = 0
    while (filled < bytes.length) {
      const n = readSync(handle, bytes, filled, bytes.length - filled, null)
      if (n === 0) break
      filled += n
    }
    return bytes.subarray(0, filled)
  } finally {
    closeSync(handle)
  }
}

export interface Sources {
  readonly sources: ReadonlyArray<Source>
  readonly problems: ReadonlyArray<string>
}

/** In the order of the words, each file once. */
export const readSources = (cwd: string, words: ReadonlyArray<string>): Sources => {
  const sources: Array<Source> = []
  const problems: Array<string> = []
  const taken = new Set<string>()
  for (const word of words) {
    const { files, problems: found } = expand(cwd, word)
    problems.push(...found)
    for (const file of files) {
      const path = relative(cwd, resolve(cwd, file))
      if (taken.has(path)) continue
      taken.add(path)
      const source = read(cwd, file)
      if ("problem" in source) problems.push(source.problem)
      else sources.push(source)
    }
  }
  return { sources, problems }
}
