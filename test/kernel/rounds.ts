const { KERNEL_ROUNDS, MODE } = process.env

/** Is this the proof, or the small part of it that runs with all tests? `npm run proof:kernels`, or the variable, says so. */
export const WHOLE = KERNEL_ROUNDS !== undefined || MODE === 'proof'

/** How often to kill and to cut the power on each file system; without the variable a minute's worth each, or just enough to see that it works. */
export const ROUNDS = Number(KERNEL_ROUNDS ?? (WHOLE ? 40 : 2))
