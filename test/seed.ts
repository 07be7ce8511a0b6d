import fc from 'fast-check'

/**
 * Properties take a fresh seed with every run on a developer's machine, and print it when they fail. In CI the seed is fixed, so that a change is
 * judged by what it does and not by luck; `PROPERTY_SEED` sets another one anywhere.
 */
const { PROPERTY_SEED, CI } = process.env
const seed = PROPERTY_SEED ?? (CI === undefined ? undefined : '20261121')
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) })
