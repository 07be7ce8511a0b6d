/** `*`, `**`, `?`, `{a,b}`; a pattern without a slash is for names in any folder. */
export function globbed(pattern: string): RegExp {
  let source = ''
  let depth = 0
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] as string
    if (character === '*' && pattern[at + 1] === '*') {
      const whole = pattern[at + 2] === '/'
      source += whole ? '(?:[^/]+/)*' : '.*'
      at += whole ? 2 : 1
    } else if (character === '*') source += '[^/]*'
    else if (character === '?') source += '[^/]'
    else if (character === '{') {
      depth += 1
      source += '(?:'
    } else if (character === '}' && depth > 0) {
      depth -= 1
      source += ')'
    } else if (character === ',' && depth > 0) source += '|'
    else source += character.replace(/[\\^$.+()|[\]{}]/g, '\\$&')
  }
  const open = ')'.repeat(depth)
  return new RegExp(`^${pattern.includes('/') ? '' : '(?:.*/)?'}${source}${open}$`, 's')
}
