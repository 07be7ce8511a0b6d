/** The object without the keys whose value is undefined, for parameters that tell "absent" from "undefined". */
export function present<T extends object>(object: { readonly [K in keyof T]: T[K] | undefined }): T {
  const kept = Object.entries(object).filter(([, value]) => value !== undefined)
  return Object.fromEntries(kept) as T
}
