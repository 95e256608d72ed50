import { configDefaults, defineConfig } from "vitest/config"

/** `pnpm test`: everything that needs nothing but Node. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/lab/**"],
    // A hang fails all the same; a busy machine does not. What has to be quick is measured by the benches.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ["default", "./test/toolchain/plainReporter.ts"]
  }
})
