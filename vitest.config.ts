import { configDefaults, defineConfig } from "vitest/config"

/** `pnpm test`: everything that needs nothing but Node. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/lab/**"],
    reporters: ["default", "./test/toolchain/plainReporter.ts"]
  }
})
