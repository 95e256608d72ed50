import { defineConfig } from "vitest/config"

/** `pnpm test:lab`: what needs root and Debian packages. One file at a time: they share one machine's networks. */
export default defineConfig({
  test: {
    include: ["test/lab/**/*.test.ts"],
    fileParallelism: false,
    maxConcurrency: 3,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ["default", "./test/toolchain/plainReporter.ts"]
  }
})
