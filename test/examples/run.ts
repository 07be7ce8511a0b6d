import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { built } from '../crash/built.ts'

/** Runs an example as its first lines say. */
export async function runExample(name: string): Promise<{ status: number | null; stdout: string; stderr: string }> {
  await built()
  const file = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))
  const env = { ...process.env }
  for (const variable of ['WRITE_JOURNAL_LEGACY', 'WRITE_JOURNAL_OFF', 'NODE_OPTIONS']) delete env[variable]
  return spawnSync(process.execPath, [file], { env, encoding: 'utf8', timeout: 120_000 })
}
