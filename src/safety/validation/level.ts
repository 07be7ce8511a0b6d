/** `basic`: syntax. `strict`: what a file names, imports and links, is there too. */
export type ValidationLevel = 'off' | 'basic' | 'strict'

export const LEVELS: readonly ValidationLevel[] = ['off', 'basic', 'strict']

export function reaches(level: ValidationLevel, wanted: ValidationLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(wanted)
}
