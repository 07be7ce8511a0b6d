import type { AnyTool } from './tool.ts'

export const MODULE_TOOLS: readonly AnyTool[] = []
