import { accessSync, constants, existsSync, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { SettingsScope } from './settings-file.ts'

const WINDOWS = process.platform === 'win32'
const BINARY = join('node_modules', '.bin', WINDOWS ? 'journal.cmd' : 'journal')

/**
 * The command line that the runtime is to run. In a project that has the package among its own, by the runtime's variable for the project's folder, so that it
 * means the same for everybody; else by name, if that is this program; else by its full path.
 * @param main this program's own file
 */
export function hookCommand(scope: SettingsScope, project: string, main: string, init: boolean): string {
  return `${programOf(scope, project, main)} hook${init ? ' --init' : ''}`
}

function programOf(scope: SettingsScope, project: string, main: string): string {
  if (scope !== 'user' && existsSync(join(project, BINARY)))
    return `"$CLAUDE_PROJECT_DIR"/${BINARY.replaceAll('\\', '/')}`
  // What goes to everybody cannot name a folder of one.
  if (scope === 'project' || isOnPath(main)) return 'journal'
  return `${quoted(process.execPath)} ${quoted(main)}`
}

/** Does `journal` mean this program? */
function isOnPath(main: string): boolean {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const candidate = join(folder, WINDOWS ? 'journal.cmd' : 'journal')
    try {
      accessSync(candidate, constants.X_OK)
      return WINDOWS || realpathSync(candidate) === realpathSync(main)
    } catch {
      // Not in this one.
    }
  }
  return false
}

/** For the shell that runs hooks, which is a POSIX one everywhere. */
function quoted(path: string): string {
  return WINDOWS ? `"${path.replaceAll('\\', '/')}"` : `"${path.replace(/["$`\\]/g, '\\$&')}"`
}
