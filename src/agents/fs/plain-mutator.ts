import nodeFs from 'node:fs'
import type { Content, Mutation, Mutator, Step } from './mutation.ts'
import { asRefusal } from './node-error.ts'

/** A call of Node's: the name of the function, and what it takes. */
type Call = readonly [name: string, ...given: unknown[]]

/** Lets Node carry mutations out: for what lies in no workspace. */
export class PlainMutator implements Mutator {
  covers(): boolean {
    return false
  }

  async perform(mutation: Mutation): Promise<unknown> {
    try {
      let outcome: unknown
      for (const [name, ...given] of callsOf(mutation)) {
        outcome = await Reflect.apply(Reflect.get(nodeFs.promises, name) as () => unknown, nodeFs.promises, given)
      }
      return outcome
    } catch (error) {
      throw refusalOf(error)
    }
  }

  performSync(mutation: Mutation): unknown {
    try {
      let outcome: unknown
      for (const [name, ...given] of callsOf(mutation)) {
        outcome = Reflect.apply(Reflect.get(nodeFs, `${name}Sync`) as () => unknown, nodeFs, given)
      }
      return outcome
    } catch (error) {
      throw refusalOf(error)
    }
  }
}

function refusalOf(error: unknown): Error {
  return asRefusal(error, (error as NodeJS.ErrnoException).syscall ?? 'write')
}

function callsOf(mutation: Mutation): readonly Call[] {
  switch (mutation.op) {
    case 'write': {
      const { path, content, mode, exclusive = false, existing = false, chmod } = mutation
      const flag = exclusive ? 'wx' : existing ? nodeFs.constants.O_WRONLY | nodeFs.constants.O_TRUNC : 'w'
      const written: Call = ['writeFile', path, bytesOf(content), { flag, ...(mode === undefined ? {} : { mode }) }]
      return chmod === undefined ? [written] : [written, ['chmod', path, chmod]]
    }
    case 'append': {
      const { path, content, mode } = mutation
      return [['appendFile', path, bytesOf(content), mode === undefined ? {} : { mode }]]
    }
    case 'truncate':
      return [['truncate', mutation.path, mutation.length]]
    case 'unlink':
      return [['unlink', mutation.path]]
    case 'rmdir':
      return [['rmdir', mutation.path]]
    case 'rm':
      return [['rm', mutation.path, { recursive: mutation.recursive, force: mutation.force }]]
    case 'mkdir': {
      const { path, recursive, mode } = mutation
      return [['mkdir', path, { recursive, ...(mode === undefined ? {} : { mode }) }]]
    }
    case 'rename':
      return [['rename', mutation.path, mutation.to]]
    case 'copyFile': {
      const { path, to, exclusive } = mutation
      return [['copyFile', path, to, exclusive ? nodeFs.constants.COPYFILE_EXCL : 0]]
    }
    case 'symlink':
      return [['symlink', mutation.target, mutation.path]]
    case 'link':
      return [['link', mutation.existing, mutation.path]]
    case 'chmod':
      return [['chmod', mutation.path, mutation.mode]]
    case 'chown': {
      const { path, uid, gid, follow } = mutation
      return [[follow ? 'chown' : 'lchown', path, uid, gid]]
    }
    case 'batch':
      return mutation.steps.flatMap(callsOfStep)
  }
}

function callsOfStep(step: Step): readonly Call[] {
  switch (step.op) {
    case 'write': {
      const { path, content, mode } = step
      const written: Call =
        content instanceof Uint8Array || 'fd' in content
          ? ['writeFile', path, bytesOf(content)]
          : ['copyFile', content.file, path]
      return mode === undefined ? [written] : [written, ['chmod', path, mode]]
    }
    case 'mkdir':
      return [['mkdir', step.path, step.mode === undefined ? {} : { mode: step.mode }]]
    case 'symlink':
      return [['symlink', step.target, step.path]]
    case 'remove':
      return [['rm', step.path, { recursive: true }]]
    case 'rename':
      return [['rename', step.path, step.to]]
  }
}

/** A facade holds nothing open that lies outside, so there is no number here. */
function bytesOf(content: Content): Uint8Array {
  if (content instanceof Uint8Array) return content
  return 'file' in content ? nodeFs.readFileSync(content.file) : nodeFs.readFileSync(content.fd)
}
