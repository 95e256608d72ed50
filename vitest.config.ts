import { configDefaults, defineConfig } from "vitest/config"

/** `pnpm test`: everything that needs nothing but Node. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/lab/**"],
    // By itself vitest keeps one core free, which is half of a machine of two, and many tests only wait.
    maxWorkers: "100%",
    // A hang fails all the same; a busy machine does not. What has to be quick is measured by the benches.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ["default", "./test/toolchain/plainReporter.ts"]
  }
})
