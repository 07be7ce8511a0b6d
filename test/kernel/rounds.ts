const { KERNEL_ROUNDS, MODE } = process.env

/** Is this the proof (`npm run proof:kernels`, or the variable), or its small part that runs with all tests? */
export const WHOLE = KERNEL_ROUNDS !== undefined || MODE === 'proof'

/** How often to kill and to cut the power on each file system: for long, or just enough to see that it works. */
export const ROUNDS = Number(KERNEL_ROUNDS ?? (WHOLE ? 40 : 2))
