import { defineConfig } from 'vitest/config'

/** The simulated crashes have the processors for themselves, so that their number can be told from their time. */
const CAMPAIGNS = ['test/sim/atomicity.test.ts', 'test/sim/failing-disk.test.ts', 'test/sim/in-place.test.ts']
// Many tests wait for other processes: with a worker more than there are processors, somebody always works.
const common = { setupFiles: ['test/seed.ts'], testTimeout: 60_000, maxWorkers: 3 }

export default defineConfig({
  test: {
    projects: [
      { test: { ...common, name: 'campaigns', include: CAMPAIGNS, sequence: { groupOrder: 0 } } },
      {
        test: {
          ...common,
          name: 'tests',
          include: ['test/**/*.test.ts'],
          exclude: CAMPAIGNS,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
