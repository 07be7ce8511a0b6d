import { nameOf } from '../../workspace/safe-path.ts'

/** What is known of a file by its name. */
export const FILE_TYPES = [
  ...(['json', 'jsonc', 'jsonl', 'yaml', 'toml', 'ini', 'markdown', 'javascript', 'typescript', 'python'] as const),
  ...(['go', 'rust', 'java', 'c', 'cpp', 'csharp', 'ruby', 'php', 'bash', 'powershell', 'css'] as const),
] as const

export type FileType = (typeof FILE_TYPES)[number]

/** How a file of a type is to be read: `tsx`, `dts`, `module`, … */
export interface Dialect {
  readonly type: FileType
  readonly variant?: 'module' | 'commonjs' | 'tsx' | 'dts' | undefined
}

const BY_ENDING: Readonly<Record<string, Dialect>> = {
  ...all('json', 'json geojson webmanifest ipynb map har avsc'),
  ...all('jsonc', 'jsonc code-workspace code-snippets'),
  ...all('jsonl', 'jsonl ndjson'),
  ...all('yaml', 'yaml yml'),
  ...all('toml', 'toml'),
  ...all('ini', 'ini cfg editorconfig'),
  ...all('markdown', 'md markdown'),
  ...all('javascript', 'js jsx'),
  ...all('javascript', 'mjs', 'module'),
  ...all('javascript', 'cjs', 'commonjs'),
  ...all('typescript', 'ts mts cts'),
  ...all('typescript', 'tsx', 'tsx'),
  ...all('python', 'py pyi'),
  ...all('go', 'go'),
  ...all('rust', 'rs'),
  ...all('java', 'java'),
  ...all('c', 'c h'),
  ...all('cpp', 'cpp cc cxx hpp hh hxx'),
  ...all('csharp', 'cs'),
  ...all('ruby', 'rb'),
  ...all('php', 'php'),
  ...all('bash', 'sh bash'),
  ...all('powershell', 'ps1 psm1'),
  ...all('css', 'css'),
}

const BY_NAME: Readonly<Record<string, Dialect>> = {
  ...all('jsonc', 'devcontainer.json api-extractor.json deno.json turbo.json tslint.json typedoc.json .eslintrc.json'),
  ...all('jsonc', '.babelrc .swcrc .jshintrc .hintrc language-configuration.json'),
  ...all('json', '.prettierrc.json composer.lock'),
  ...all('yaml', '.clang-format .clang-tidy'),
  ...all('toml', 'Cargo.lock poetry.lock uv.lock Pipfile'),
  ...all('ini', '.editorconfig .gitmodules .npmrc .coveragerc .flake8 .pylintrc'),
  ...all('ruby', 'Gemfile Rakefile'),
  ...all('bash', '.bashrc .bash_profile .profile'),
}

function all(type: FileType, names: string, variant?: Dialect['variant']): Record<string, Dialect> {
  return Object.fromEntries(names.split(' ').map((name) => [name, { type, variant }]))
}

/** Null: nothing is known of files with such a name. */
export function dialectOf(path: string): Dialect | null {
  const name = nameOf(path)
  if (Object.hasOwn(BY_NAME, name)) return BY_NAME[name] as Dialect
  // Their own programs read these with comments.
  if (/^[tj]sconfig(\..+)?\.json$/.test(name) || /(^|\/)\.vscode\/[^/]+\.json$/.test(path)) return { type: 'jsonc' }
  if (/\.d\.([^.]+\.)?[cm]?ts$/.test(name)) return { type: 'typescript', variant: 'dts' }
  const ending = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  return Object.hasOwn(BY_ENDING, ending) ? (BY_ENDING[ending] as Dialect) : null
}
