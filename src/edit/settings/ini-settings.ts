import type { SettingsFormat } from './settings-format.ts'
export const iniSettings: SettingsFormat = undefined as never
