import type { Declaration } from './declaration.ts'

/** What a command is called, and where to find it. Its file is loaded only when it is the one to run. */
export interface CatalogueEntry {
  readonly name: string
  /** A few words for the list of commands. */
  readonly summary: string
  readonly load: () => Promise<{ readonly default: Declaration }>
}

export interface CatalogueGroup {
  readonly heading: string
  readonly commands: readonly CatalogueEntry[]
}

export const CATALOGUE: readonly CatalogueGroup[] = [
  {
    heading: 'Begin:',
    commands: [
      { name: 'init', summary: 'make a journal here', load: () => import('./commands/init.ts') },
      {
        name: 'status',
        summary: 'where things stand, and what changed behind the journal',
        load: () => import('./commands/status.ts'),
      },
      { name: 'help', summary: 'explain the commands', load: () => import('./commands/help.ts') },
      {
        name: 'completion',
        summary: 'print a completion script for a shell',
        load: () => import('./commands/completion.ts'),
      },
    ],
  },
  {
    heading: 'Change files:',
    commands: [
      { name: 'commit', summary: 'run many operations as one transaction', load: () => import('./commands/commit.ts') },
      { name: 'write', summary: 'write a file from standard input', load: () => import('./commands/write.ts') },
      { name: 'append', summary: 'append standard input to a file', load: () => import('./commands/append.ts') },
      { name: 'edit', summary: 'replace text in a file', load: () => import('./commands/edit.ts') },
      { name: 'patch', summary: 'apply a patch of any number of files', load: () => import('./commands/patch.ts') },
      { name: 'notebook', summary: 'change cells of a notebook', load: () => import('./commands/notebook.ts') },
      { name: 'set', summary: 'set values in a configuration file', load: () => import('./commands/set.ts') },
      { name: 'imports', summary: 'add and remove imports', load: () => import('./commands/imports.ts') },
      { name: 'rm', summary: 'remove files', load: () => import('./commands/rm.ts') },
      { name: 'mv', summary: 'move or rename', load: () => import('./commands/mv.ts') },
      { name: 'mkdir', summary: 'make folders', load: () => import('./commands/mkdir.ts') },
      { name: 'rmdir', summary: 'remove empty folders', load: () => import('./commands/rmdir.ts') },
      { name: 'chmod', summary: 'change permissions', load: () => import('./commands/chmod.ts') },
      { name: 'ln', summary: 'make a symbolic link', load: () => import('./commands/ln.ts') },
      {
        name: 'adopt',
        summary: 'take changes made by others into the history',
        load: () => import('./commands/adopt.ts'),
      },
    ],
  },
  {
    heading: 'Follow what others do:',
    commands: [
      {
        name: 'run',
        summary: 'run a command; what it changes is one transaction',
        load: () => import('./commands/run.ts'),
      },
      {
        name: 'watch',
        summary: 'take in what anybody changes, as it comes',
        load: () => import('./commands/watch.ts'),
      },
    ],
  },
  {
    heading: 'Look back:',
    commands: [
      { name: 'log', summary: 'list transactions, newest first', load: () => import('./commands/log.ts') },
      { name: 'tail', summary: 'the newest ones, and those that come', load: () => import('./commands/tail.ts') },
      { name: 'show', summary: 'one transaction with its changes', load: () => import('./commands/show.ts') },
      { name: 'diff', summary: 'what changed, in unified format', load: () => import('./commands/diff.ts') },
      { name: 'cat', summary: 'a file as it was', load: () => import('./commands/cat.ts') },
    ],
  },
  {
    heading: 'Go back, go forth:',
    commands: [
      { name: 'undo', summary: 'take transactions back', load: () => import('./commands/undo.ts') },
      { name: 'redo', summary: 'take an undo back', load: () => import('./commands/redo.ts') },
      { name: 'restore', summary: 'set files back to an earlier point', load: () => import('./commands/restore.ts') },
      {
        name: 'recover',
        summary: 'finish, or take back, what a crash interrupted',
        load: () => import('./commands/recover.ts'),
      },
    ],
  },
  {
    heading: 'Work as a team:',
    commands: [
      { name: 'intent', summary: 'say what you mean to write', load: () => import('./commands/intent.ts') },
      { name: 'lease', summary: 'keep others from writing, for a time', load: () => import('./commands/lease.ts') },
      { name: 'agents', summary: 'what each agent may do', load: () => import('./commands/agents.ts') },
      { name: 'plan', summary: 'put the work of several agents in order', load: () => import('./commands/plan.ts') },
      { name: 'coordinate', summary: 'do the work of several agents', load: () => import('./commands/coordinate.ts') },
    ],
  },
  {
    heading: 'Audit:',
    commands: [
      {
        name: 'check',
        summary: 'are files valid; how safe would a batch be',
        load: () => import('./commands/check.ts'),
      },
      {
        name: 'verify',
        summary: 'check the chain, the frames and the contents',
        load: () => import('./commands/verify.ts'),
      },
      {
        name: 'head',
        summary: 'the chain value to keep elsewhere, for verify --head',
        load: () => import('./commands/head.ts'),
      },
      {
        name: 'replay',
        summary: 'rebuild the files of any point in another folder',
        load: () => import('./commands/replay.ts'),
      },
      { name: 'export', summary: 'the whole history as JSON Lines', load: () => import('./commands/export.ts') },
    ],
  },
  {
    heading: 'Agents:',
    commands: [
      { name: 'build', summary: 'write a module of files from a spec', load: () => import('./commands/build.ts') },
      { name: 'review', summary: 'apply the changes of a review', load: () => import('./commands/review.ts') },
      { name: 'mcp', summary: 'serve agents over the Model Context Protocol', load: () => import('./commands/mcp.ts') },
      { name: 'hook', summary: 'journal what Claude Code does', load: () => import('./commands/hook.ts') },
    ],
  },
  {
    heading: 'Upkeep:',
    commands: [
      { name: 'stats', summary: 'sizes and counts', load: () => import('./commands/stats.ts') },
      { name: 'checkpoint', summary: 'make the next recovery short', load: () => import('./commands/checkpoint.ts') },
      {
        name: 'compact',
        summary: 'free the space of what is no longer needed',
        load: () => import('./commands/compact.ts'),
      },
      {
        name: 'purge',
        summary: 'erase the contents of a path from the history',
        load: () => import('./commands/purge.ts'),
      },
    ],
  },
]

/** The entry of that name. */
export function catalogued(name: string): CatalogueEntry | undefined {
  for (const { commands } of CATALOGUE) {
    const entry = commands.find((candidate) => candidate.name === name)
    if (entry !== undefined) return entry
  }
  return undefined
}
