import type { Owner } from '../entry/state.ts'
import type { Store } from '../store/opening.ts'
import { Folders } from '../workspace/folders.ts'
import { Observer } from '../workspace/observer.ts'
import type { DraftSite } from './view.ts'

/** What a process that does not write the journal works drafts out with. */
export function readerSite({ disk, layout, contents }: Store): DraftSite {
  const observer = new Observer(disk, layout.root)
  const owner: Owner | null = disk.superuser ? { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 } : null
  const device = disk.lstat(layout.staging)?.dev ?? 0n
  return {
    observer,
    contents,
    folders: new Folders(observer, device, process.umask()),
    foldsCase: false,
    owner,
    inPlaceFrom: Number.POSITIVE_INFINITY,
  }
}
