/** What a caller of the facade wants changed, as a plain value: it can go to another thread. Paths are absolute. */

/** Bytes, or a file that is open in this process, from an offset on, or one that is named. */
export type Content =
  | Uint8Array
  | { readonly fd: number; readonly from: number }
  | { readonly file: string; readonly size?: number }

/** `mode`: permission bits as the caller gave them, before the umask. */
export type Mutation =
  | {
      readonly op: 'write'
      readonly path: string
      readonly content: Content
      /** Of a new file. */
      readonly mode?: number | undefined
      /** Refused when something is there. */
      readonly exclusive?: boolean
      /** Refused when nothing is there. */
      readonly existing?: boolean
      /** Permission bits of the file afterwards, whatever it had. */
      readonly chmod?: number | undefined
    }
  | { readonly op: 'append'; readonly path: string; readonly content: Content; readonly mode?: number | undefined }
  | { readonly op: 'truncate'; readonly path: string; readonly length: number }
  | { readonly op: 'unlink'; readonly path: string }
  | { readonly op: 'rmdir'; readonly path: string }
  | { readonly op: 'rm'; readonly path: string; readonly recursive: boolean; readonly force: boolean }
  | { readonly op: 'mkdir'; readonly path: string; readonly recursive: boolean; readonly mode?: number | undefined }
  | { readonly op: 'rename'; readonly path: string; readonly to: string }
  | { readonly op: 'copyFile'; readonly path: string; readonly to: string; readonly exclusive: boolean }
  | { readonly op: 'symlink'; readonly path: string; readonly target: string }
  | { readonly op: 'link'; readonly path: string; readonly existing: string }
  | { readonly op: 'chmod'; readonly path: string; readonly mode: number }
  | {
      readonly op: 'chown'
      readonly path: string
      readonly uid: number
      readonly gid: number
      readonly follow: boolean
    }
  /** Several steps that are one transaction; nothing is asked of what is there before. */
  | { readonly op: 'batch'; readonly path: string; readonly steps: readonly Step[]; readonly syscall: string }

export type Step =
  | { readonly op: 'write'; readonly path: string; readonly content: Content; readonly mode?: number | undefined }
  | { readonly op: 'mkdir'; readonly path: string; readonly mode?: number | undefined }
  | { readonly op: 'symlink'; readonly path: string; readonly target: string }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'rename'; readonly path: string; readonly to: string }

/** Carries mutations out. */
export interface Mutator {
  /** Is a path in a workspace of this one? What is not is none of its business: see `OutsidePolicy`. */
  covers(path: string): boolean
  /** Would every change at a path be refused? Then it is not even opened. */
  refuses?(path: string): boolean
  /** @throws FsRefusal */
  perform(mutation: Mutation): Promise<unknown>
  /** Does so before it returns. Absent where that cannot be done. @throws FsRefusal */
  performSync?(mutation: Mutation): unknown
}
