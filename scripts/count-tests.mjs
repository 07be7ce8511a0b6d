/**
 * Prints `passed failed skipped` from vitest's JSON report. A file that could not be loaded counts as one failure, and so does a
 * run that ended badly, or ran nothing, without a failed test to show for it.
 *
 *   node scripts/count-tests.mjs REPORT EXIT-STATUS
 */
import { readFileSync } from 'node:fs'

const [file, status] = process.argv.slice(2)
const counts = { passed: 0, failed: 0, skipped: 0 }
try {
  const report = JSON.parse(readFileSync(file, 'utf8'))
  for (const { status, assertionResults } of report.testResults) {
    for (const { status } of assertionResults) {
      if (status === 'passed' || status === 'failed') counts[status] += 1
      else counts.skipped += 1
    }
    if (status === 'failed' && !assertionResults.some((result) => result.status === 'failed')) counts.failed += 1
  }
} catch (error) {
  process.stderr.write(`There is no report of the tests: ${error.message}\n`)
}
const nothing = counts.passed + counts.failed === 0
if (counts.failed === 0 && (Number(status) !== 0 || nothing)) counts.failed = 1
console.log(`${counts.passed} ${counts.failed} ${counts.skipped}`)
