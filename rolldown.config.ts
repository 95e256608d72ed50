/**
 * `pnpm build`: each program in `dist/`, with everything it needs and nothing to compile on the machine. Both are in parts,
 * because what is loaded stays, and takes its time: the part that writes a certificate, half of it all, is read at the first start
 * of a node only, and by `clawmesh join`.
 *
 * CommonJS: importing `node:http` as an ES module reads every name that it exports, one of which loads all of undici (5 MB).
 * Names stay what they are, so that a line of a defect says where; the rest of the text is made short, and ASCII, because V8
 * keeps a source with any other character at two bytes each.
 */
import { digestOf } from "./adapters/recorded/Kernel.ts"
import { defineConfig, type OutputOptions, type RolldownOptions } from "rolldown"

const output: OutputOptions = {
  dir: "dist",
  entryFileNames: "[name].cjs",
  format: "cjs",
  charset: "ascii",
  comments: { legal: true, annotation: false, jsdoc: false },
  minify: { compress: true, mangle: false, codegen: true }
}

const program = (name: string, more: OutputOptions): RolldownOptions => ({
  input: { [name]: `adapters/${name}.ts` },
  platform: "node",
  transform: { define: { CLAWMESH_KERNEL: JSON.stringify(digestOf(import.meta.dirname)) } },
  output: { ...output, ...more }
})

export default defineConfig([
  program("clawmesh-node", { chunkFileNames: "clawmesh-node/[name].cjs", cleanDir: true }),
  program("clawmesh", {
    chunkFileNames: "clawmesh/[name].cjs",
    // With a part of its own for ws the bundler's helpers have one, too; else they lie with `join`, and every start reads that.
    codeSplitting: { groups: [{ name: "ws", test: /node_modules.*[\\/]ws[\\/]/u }] }
  })
])
