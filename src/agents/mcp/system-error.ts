/** Refusals in the words of the operating system, as Node has them: what clients of the reference server have learned to read. */
const REASONS = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  EISDIR: 'illegal operation on a directory',
  EEXIST: 'file already exists',
  EINVAL: 'invalid argument',
} as const

export function systemError(code: keyof typeof REASONS, call: string, path?: string, to?: string): Error {
  const what = `${path === undefined ? '' : ` '${path}'`}${to === undefined ? '' : ` -> '${to}'`}`
  return Object.assign(new Error(`${code}: ${REASONS[code]}, ${call}${what}`), { code })
}
