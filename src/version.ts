/** Of the package; what `package.json` says (a test looks). */
export const VERSION = '0.1.0'
