import { fileURLToPath } from 'node:url'

/** Beside this file, and beside the bundle of the command line. */
const HELPER = new URL('./helper.js', import.meta.url)

/** Starts the helper of a workspace, which lives on by itself. False: the system would not. */
export async function startHelper(root: string): Promise<boolean> {
  const { spawn } = await import('node:child_process')
  return new Promise((resolve) => {
    try {
      const child = spawn(process.execPath, [fileURLToPath(HELPER), root], {
        // It must not keep the workspace from being removed or unmounted.
        cwd: process.platform === 'win32' ? undefined : '/',
        detached: true,
        stdio: 'ignore',
        windowsHide: true,
      })
      child.once('error', () => resolve(false))
      child.once('spawn', () => {
        child.unref()
        resolve(true)
      })
    } catch {
      resolve(false)
    }
  })
}
