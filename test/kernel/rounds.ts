/** How often to kill, of each kind; `KERNEL_ROUNDS` says. Without it just enough to see that all of it still works. */
export const ROUNDS = Number(process.env.KERNEL_ROUNDS ?? 2)

/** Is this the whole proof, or the small part of it that runs with all tests? */
export const WHOLE = process.env.KERNEL_ROUNDS !== undefined
