import type { Disk } from './disk.ts'

/** The same disk without atomic exchange: every replacement is a rename over. For legacy mode. */
export function withoutExchange(disk: Disk): Disk {
  return new Proxy(disk, {
    get(target, key) {
      if (key === 'exchange') {
        return () => {
          throw Object.assign(new Error('ENOSYS: exchange is turned off in legacy mode'), { code: 'ENOSYS' })
        }
      }
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
