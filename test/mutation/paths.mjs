/** Every check that keeps transactions inside the workspace and out of journals, and what is left without it. */
const NAMES = ['test/escape/names.test.ts', 'test/workspace/safe-path.test.ts', 'test/workspace/resolver.test.ts']
const PARTS = ['test/workspace', 'test/disk/node-disk.test.ts']
const TABLE = ['test/escape/table.test.ts', 'test/journal/bad-input.test.ts']

export const STAGES = [
  { name: 'names', files: NAMES },
  { name: 'parts', files: PARTS },
  { name: 'table', files: TABLE },
  { name: 'swap', files: ['test/escape/swap.test.ts'] },
]

const names = 'workspace/safe-path.ts'
const folded = 'entry/path.ts'
const resolver = 'workspace/resolver.ts'
const disk = 'disk/node-disk.ts'

export const MUTANTS = [
  { file: names, from: 'if (isJournalName(name)) {', to: 'if (false) {' },
  { file: names, from: 'if (Buffer.byteLength(name) > MAX_NAME_BYTES) {', to: 'if (false) {' },
  { file: names, from: "platform === 'win32' ? problemOnWindows(name) : null", to: 'null' },
  { file: names, from: 'if (/[<>:', to: 'if (/[<>' },
  { file: names, from: 'if (/[. ]$/u.test(name)) return', to: 'if (false) return' },
  { file: names, from: 'return DEVICE.test(name) ?', to: 'return false ?' },
  { file: names, from: "if (given.includes('\\0')) throw", to: 'if (false) throw' },
  { file: names, from: 'if (!given.isWellFormed())', to: 'if (false)' },
  { file: names, from: 'if (Buffer.byteLength(given) > MAX_PATH_BYTES) {', to: 'if (false) {' },
  { file: names, from: 'if (relative === null) {', to: 'if (false) {' },
  { file: names, from: 'isAbsolute(given, platform) ? belowRoot(root, given, platform) : given', to: 'given' },
  { file: names, from: 'if (names.pop() === undefined) {', to: 'if (names.pop() === undefined && false) {' },
  { file: names, from: 'if (names.length === 0) {', to: 'if (false) {' },
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
  { file: names, from: "base.endsWith('/') ? base : `${base}/`", to: 'base' },
  { file: names, from: "text.startsWith('\\\\') || ", to: '' },
  { file: names, from: ' || /^[a-z]:/i.test(text)', to: '' },
  { file: names, from: "platform === 'win32' ? text.replaceAll('\\\\', '/') : text", to: 'text' },
  { file: folded, from: ".normalize('NFKC')", to: '' },
  { file: folded, from: ".replace(IGNORABLE, '')", to: '' },
  { file: folded, from: '.toLowerCase()', to: '' },
  { file: folded, from: ".replace(/:.*$/su, '')", to: '' },
  { file: folded, from: ".replace(/[. ]+$/u, '')", to: '' },
  { file: folded, from: ' || /^jo(urna|[0-9a-f]{4})~\\d+$/.test(folded)', to: '' },
  { file: folded, from: '|~\\d|', to: '|' },
  { file: folded, from: '|[^ -~]/i', to: '/i' },
  { file: folded, from: 'if (NO_NAME.test(path) || ', to: 'if (' },
  { file: folded, from: "|| path.includes('\\0')) return false", to: ') return false' },
  { file: folded, from: "!path.split('/').some(isJournalName)", to: 'true' },
  { file: 'entry/codec.ts', from: 'if (!isInside(path)) throw', to: 'if (false) throw' },
  { file: 'entry/codec.ts', from: "to: asPath(map.to, 'path')", to: "to: asText(map.to, 'path')" },
  { file: resolver, from: 'if (links > 0) checkName(name, given, platform)', to: '' },
  {
    file: resolver,
    from: 'if (resolved.pop() === undefined) throw',
    to: 'if (resolved.pop() === undefined && false) throw',
  },
  { file: resolver, from: 'if (links > MAX_LINKS) {', to: 'if (links > 10_000) {' },
  { file: resolver, from: 'if (below === null) throw', to: 'if (false) throw' },
  { file: resolver, from: 'resolved.length = 0\n', to: '\n' },
  { file: resolver, from: "if (found !== null && found.kind !== 'dir' &&", to: 'if (false &&' },
  { file: resolver, from: 'if (resolved.length === 0) throw', to: 'if (false) throw' },
  { file: resolver, from: '(pending.length > 0 || options.follow)', to: '(pending.length > 0)' },
  { file: resolver, from: '(pending.length > 0 || options.follow)', to: 'options.follow' },
  {
    file: 'workspace/folders.ts',
    from: 'above?.exists === false ? null : ',
    to: '',
    equivalent: 'it only saves a look at what cannot be there',
  },
  { file: 'workspace/pinned-folders.ts', from: 'pin.seen !== turn && !pin.anchor.isCurrent()', to: 'false' },
  {
    file: 'workspace/anchors.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
    from: 'return `${anchor.path}/${nameOf(path)}`',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
    to: 'return `${this.#root}/${path}`',
  },
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
  { file: 'workspace/anchors.ts', from: 'this.#pins.forget(`${this.#root}/${folder}`)', to: '' },
  { file: 'workspace/materialization.ts', from: 'observed.stat?.nlink === 1', to: 'true' },
  { file: disk, from: 'if (fs.readlinkSync(pinned) !== path) throw', to: 'if (false) throw' },
  {
    file: disk,
    from: 'fs.constants.O_DIRECTORY | NOFOLLOW)',
    to: 'fs.constants.O_DIRECTORY)',
    equivalent: 'where the folder really is, is looked at next',
  },
  { file: disk, from: 'fs.constants.O_RDONLY | NOFOLLOW | NONBLOCK', to: 'fs.constants.O_RDONLY | NONBLOCK' },
  { file: disk, from: 'fs.constants.O_RDONLY | NOFOLLOW | NONBLOCK', to: 'fs.constants.O_RDONLY | NOFOLLOW' },
  {
    file: disk,
    from: 'made.mode !== mode) this.chmod(path, mode)',
    to: 'made.mode !== mode) fs.chmodSync(path, mode)',
  },
  {
    file: 'transaction/view.ts',
    from: 'if (this.#hidden(path)) return null\n    if (this.folders',
    to: 'if (this.folders',
  },
  { file: 'transaction/view.ts', from: 'if (journal === undefined) return children', to: 'return children' },
  { file: 'history/replay.ts', from: "|| target.split('/').some(isJournalName)", to: '' },
  { file: 'store/opening.ts', from: "if (kind === 'dir') continue", to: 'continue' },
  { file: 'content/blob-store.ts', from: "else if (stat.kind !== 'dir') throw", to: 'else if (false) throw' },
  { file: 'history/index-database.ts', from: 'if (names.some((entry) => !entry.isFile()))', to: 'if (false)' },
]
