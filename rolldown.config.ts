/**
 * `pnpm build`: each program as one file in `dist/`, with everything it needs and nothing to compile on the machine.
 *
 * CommonJS: importing `node:http` as an ES module reads every name that it exports, one of which loads all of undici (5 MB).
 * Names stay what they are, so that a line of a defect says where; the rest of the text is made short, and ASCII, because V8
 * keeps a source with any other character at two bytes each.
 */
import { defineConfig, type RolldownOptions } from "rolldown"

export default defineConfig(
  ["clawmesh-node", "clawmesh"].map((program): RolldownOptions => ({
    input: `adapters/${program}.ts`,
    platform: "node",
    output: {
      file: `dist/${program}.cjs`,
      format: "cjs",
      codeSplitting: false,
      charset: "ascii",
      comments: { legal: true, annotation: false, jsdoc: false },
      minify: { compress: true, mangle: false, codegen: true }
    }
  }))
)
