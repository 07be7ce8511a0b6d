import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.ts'

/** The simulated crashes, to be run by themselves for hours (docs/reliability.md). */
const CAMPAIGNS = ['test/sim/atomicity.test.ts', 'test/sim/failing-disk.test.ts', 'test/sim/in-place.test.ts']
const common = {
  setupFiles: ['test/seed.ts'],
  testTimeout: 60_000,
  // Many tests wait for other processes: with a worker more than there are processors, somebody always works.
  maxWorkers: 3,
  // A worker runs many files: to load the library anew for each takes as long as half of the files do. What a test changes of its process it puts back.
  isolate: false,
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { ...common, name: 'campaigns', include: CAMPAIGNS } },
      { test: { ...common, name: 'tests', include: ['test/**/*.test.ts'], exclude: CAMPAIGNS } },
    ],
  },
})
