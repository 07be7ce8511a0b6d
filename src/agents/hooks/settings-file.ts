import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, realpathSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { decodeText, encodeText, type SourceText } from '../../edit/text.ts'
import { asJournalError, hasSystemCode, JournalError } from '../../errors.ts'

/** Which of the runtime's settings: of the person, of the project for everybody, of the project for oneself. */
export const SCOPES = ['user', 'project', 'local'] as const
export type SettingsScope = (typeof SCOPES)[number]

/** The file of a scope. `CLAUDE_CONFIG_DIR` moves that of the person, as it does for the runtime. */
export function settingsPath(scope: SettingsScope, project: string): string {
  if (scope === 'user') return join(process.env.CLAUDE_CONFIG_DIR || join(homedir(), '.claude'), 'settings.json')
  return join(project, '.claude', scope === 'project' ? 'settings.json' : 'settings.local.json')
}

/** A settings file as it was read, to be replaced as a whole only if it is still that. */
export class SettingsFile {
  readonly path: string
  /** Null: there is no file. */
  readonly text: string | null
  readonly #bytes: Buffer | null
  readonly #form: SourceText | null

  private constructor(path: string, bytes: Buffer | null) {
    this.path = path
    this.#bytes = bytes
    this.#form = bytes === null ? null : decodeText(bytes, path)
    this.text = this.#form?.text ?? null
  }

  /** @throws JournalError `INVALID` when it is no text, `PERMISSION`, … */
  static read(path: string): SettingsFile {
    return new SettingsFile(path, bytesOf(path))
  }

  /** `null` removes it. @throws JournalError `CONFLICT` when somebody changed it meanwhile */
  write(text: string | null): void {
    try {
      if (!same(bytesOf(this.path), this.#bytes)) {
        throw new JournalError('CONFLICT', `somebody else changed ${this.path} just now`, {
          hint: 'Nothing was written. Look at it, and run the command again.',
          path: this.path,
        })
      }
      if (text === null) this.#remove()
      else this.#replace(encodeText(text, this.#form ?? { encoding: 'utf-8', bom: false }, this.path))
    } catch (error) {
      throw asJournalError(error, 'writing the settings', this.path)
    }
  }

  #remove(): void {
    rmSync(this.path)
    try {
      rmdirSync(dirname(this.path))
    } catch {
      // There is more in it.
    }
  }

  #replace(bytes: Buffer): void {
    // People keep such files elsewhere, with a link here.
    const target = this.#bytes === null ? this.path : realpathSync(this.path)
    mkdirSync(dirname(target), { recursive: true })
    const mode = this.#bytes === null ? 0o644 : statSync(target).mode & 0o7777
    const fresh = `${target}.${randomBytes(6).toString('hex')}`
    try {
      writeFileSync(fresh, bytes, { mode, flag: 'wx', flush: true })
      renameSync(fresh, target)
    } catch (error) {
      rmSync(fresh, { force: true })
      throw error
    }
  }
}

function bytesOf(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT')) return null
    throw asJournalError(error, 'reading the settings', path)
  }
}

function same(one: Buffer | null, other: Buffer | null): boolean {
  return one === null || other === null ? one === other : one.equals(other)
}
