/**
 * Puts a mutant in the place of the kernel while modules are loaded. Once for a thread, before anything of the kernel is loaded in it.
 *
 * Nodes run a kernel of their own, `kernel/Node.ts?mutant`, and everything that this imports: the bug is in there. What the
 * simulator itself asks the kernel (who leads, whose lease runs, what a row says) it asks the one without the bug. Only what the
 * simulated machine does for a node by the kernel's code, or gives to it (its journal, frames as text, the profile that it is
 * told), has the bug in both. Oracles have a third one, `?sound`, in which it is in no case, so that none is fooled.
 */
import { readFileSync } from "node:fs"
import { registerHooks } from "node:module"
import { fileURLToPath } from "node:url"
import { applied, type Mutant } from "./Mutant.ts"

const KERNEL = new URL("../../kernel/", import.meta.url).href
const ORACLES = new URL("../oracles/", import.meta.url).href
const MARK = "?mutant"
const SOUND = "?sound"

/** Where the kernel of the nodes is. */
export const FRONT_DOOR = `${KERNEL}Node.ts${MARK}`

/** What simulated machines use of the kernel for their nodes: the journal (sim/disk), the codec (Machine.ts), the profiles. */
const isOfTheMachine = (file: string): boolean =>
  file.startsWith("journal/") || ["Durable.ts", "Profile.ts", "wire/Codec.ts", "wire/Frame.ts"].includes(file)

/** Which kernel a module's imports of it mean. */
const markOf = (parent: string): string => {
  if (parent.endsWith(MARK)) return MARK
  return parent.endsWith(SOUND) || parent.startsWith(ORACLES) ? SOUND : ""
}

/** `null`: the kernel as it is, loaded in the same way. Throws `Moved`. */
export const mutate = (mutant: Pick<Mutant, "file" | "edits"> | null): void => {
  const read = (url: string): string => readFileSync(fileURLToPath(url), "utf8")
  const spoilt = mutant === null ? "" : applied(read(`${KERNEL}${mutant.file}`), mutant.edits)
  registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context)
      const mark = found.url.startsWith(KERNEL) ? markOf(context.parentURL ?? "") : ""
      return mark === "" ? found : { ...found, url: `${found.url}${mark}` }
    },
    load: (url, context, next) => {
      const mark = [MARK, SOUND].find((one) => url.endsWith(one)) ?? ""
      const plain = url.slice(0, url.length - mark.length)
      if (!plain.startsWith(KERNEL)) return next(url, context)
      const file = plain.slice(KERNEL.length)
      const hit = file === mutant?.file && (mark === MARK || (mark === "" && isOfTheMachine(file)))
      if (mark === "" && !hit) return next(url, context)
      return { format: "module-typescript", shortCircuit: true, source: hit ? spoilt : read(plain) }
    }
  })
}
