import type { SettingsFormat } from './settings-format.ts'
export const tomlSettings: SettingsFormat = undefined as never
