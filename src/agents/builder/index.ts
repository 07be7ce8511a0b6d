export { type BuildOptions, type BuildReport, type BuiltFile, buildModule } from './build-module.ts'
export type { FileSpec, IndexSpec, ModuleSpec } from './module-spec.ts'
export type { Value, Values } from './template.ts'
