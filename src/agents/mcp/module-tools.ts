import { z } from 'zod'
import { buildInto, buildModule } from '../builder/build-module.ts'
import type { ModuleSpec } from '../builder/module-spec.ts'
import { applyReview, type ReviewReport, reviewInto } from '../reviewer/apply-review.ts'
import type { Review } from '../reviewer/review.ts'
import { DIRECTORY, workspaceOf } from './history-tools.ts'
import { CHANGED, changedOf, changedText } from './receipts.ts'
import { checkSignal } from './session.ts'
import { type AnyTool, tool, writes } from './tool.ts'

const MESSAGE = z.string().optional().describe('Why; part of the history')
const DRY = z.boolean().default(false).describe('Only say what would be changed, or why it does not fit')
const values = z.record(z.string(), z.unknown())
const file = z.object({
  path: z.string().describe('Relative to the folder; may have parameters'),
  content: z.string().optional(),
  template: z.string().optional().describe('The name of one of the templates'),
  base64: z.string().optional(),
  with: values.optional().describe('Values of the parameters of this file'),
  each: z.array(values).optional().describe('A file for each of these, with its values'),
  mode: z.string().optional().describe('Permissions in octal'),
  index: z.boolean().optional().describe('false: the index does not name it'),
})
const told = { index: z.number(), path: z.string(), reviewer: z.string().optional() }

function reviewText({ applied, conflicts, comments }: Omit<ReviewReport, 'receipt'>): string {
  return [
    `${applied.length} changes fit, ${conflicts.length} do not, ${comments.length} are comments only`,
    ...conflicts.map(({ index, path, reason }) => `  changes[${index}] ${path}: ${reason}`),
  ].join('\n')
}

/** Whole modules, and whole reviews, in one call. */
export const MODULE_TOOLS: readonly AnyTool[] = [
  tool({
    name: 'build_module',
    title: 'Build Module',
    description:
      'Write a module of files from a spec, as one transaction: all of them, with a right syntax, or none. Files have a content, or a template filled with values: {{name}}, {{a.b}}, {{name:pascal}} (camel, pascal, kebab, snake, constant, upper, lower, json). An index that exports the files can be made too. Files that are there already are refused, all of them named, unless overwrite is set.',
    input: {
      spec: z.object({
        folder: z.string(),
        files: z.array(file).min(1),
        templates: z.record(z.string(), z.string()).optional(),
        values: values.optional().describe('Values for all files'),
        index: z
          .object({
            path: z.string(),
            line: z.string().optional(),
            header: z.string().optional(),
            footer: z.string().optional(),
          })
          .optional(),
        tests: z.array(file).optional().describe('Files that the index does not name'),
        message: z.string().optional(),
        validate: z.enum(['off', 'basic', 'strict']).optional(),
      }),
      overwrite: z.boolean().default(false),
      dryRun: DRY,
      directory: DIRECTORY,
    },
    output: {
      files: z.array(z.object({ path: z.string(), bytes: z.number(), from: z.string(), overwritten: z.boolean() })),
      ok: z.boolean().describe('With dryRun: would it go through?'),
      reasons: z
        .array(z.object({ path: z.string().optional(), message: z.string() }))
        .describe('What speaks against it'),
      ...CHANGED,
    },
    hints: writes(true, false),
    async run(session, { spec: given, overwrite, dryRun, directory }, call) {
      const spec = given as unknown as ModuleSpec
      const workspace = await workspaceOf(session, directory)
      if (dryRun) session.rehearsal()
      if (session.joins) {
        const changed = await session.change(call, undefined, async (transaction) => {
          return buildInto(await transaction.part(workspace), workspace.root, spec, { overwrite })
        })
        const structured = {
          files: changed.value.map((each) => ({ ...each })),
          ok: true,
          reasons: [],
          ...changedOf(changed),
        }
        return { text: changedText(changed), structured }
      }
      checkSignal(call.signal)
      const { files, receipt, check } = await buildModule(await workspace.open(), spec, {
        ...call.meta(),
        overwrite,
        dryRun,
      })
      const reasons = (check?.checks ?? []).flatMap((each) => each.reasons)
      const changed = { pending: false, commits: receipt === null ? [] : [{ workspace, receipt }] }
      const lines = files.map(({ path, bytes }) => `  ${path} (${bytes} bytes)`)
      const verdict = `would ${check?.ok === false ? 'be refused' : 'write'}:`
      return {
        text: dryRun ? [verdict, ...lines, ...reasons.map(({ message }) => message)].join('\n') : changedText(changed),
        structured: {
          files: files.map((each) => ({ ...each })),
          ok: check?.ok ?? true,
          reasons: reasons.map(({ path, message }) => ({ message, ...(path === undefined ? {} : { path }) })),
          ...changedOf(changed),
        },
      }
    },
  }),
  tool({
    name: 'apply_review',
    title: 'Apply Review',
    description:
      'Apply the changes that a reviewer asks for, in any number of files, as one transaction: all of them, or none, and then every one that does not fit is named. A change names lines (as the reviewer saw them), or an old text, or both: then it is found also where the lines have moved. A suggestion block in a comment is taken as on GitHub.',
    input: {
      review: z.object({
        changes: z
          .array(
            z.object({
              path: z.string().describe('Relative to the directory'),
              lines: z
                .union([z.number(), z.array(z.number()).min(2).max(2)])
                .optional()
                .describe('A line, or [first, last], from 1'),
              oldText: z.string().optional(),
              newText: z.string().optional(),
              comment: z.string().optional(),
              reviewer: z.string().optional(),
            }),
          )
          .min(1),
        reviewer: z.string().optional(),
        message: z.string().optional(),
      }),
      partial: z.boolean().default(false).describe('Change the files of which every change fits'),
      dryRun: DRY,
      message: MESSAGE,
      directory: DIRECTORY,
    },
    output: {
      applied: z.array(z.object({ ...told, lines: z.array(z.number()), moved: z.boolean().optional() })),
      conflicts: z.array(z.object({ ...told, reason: z.string() })),
      comments: z.array(z.object(told)),
      ...CHANGED,
    },
    hints: writes(true, false),
    async run(session, { review: given, partial, dryRun, message, directory }, call) {
      const review = given as unknown as Review
      const workspace = await workspaceOf(session, directory)
      if (dryRun) session.rehearsal()
      const structure = ({ applied, conflicts, comments }: Omit<ReviewReport, 'receipt'>) => ({
        applied: applied.map((each) => ({ ...each, lines: [...each.lines] })),
        conflicts: conflicts.map((each) => ({ ...each })),
        comments: comments.map((each) => ({ ...each })),
      })
      if (session.joins) {
        const changed = await session.change(call, message, async (transaction) =>
          reviewInto(await transaction.part(workspace), review, { partial }),
        )
        return { text: reviewText(changed.value), structured: { ...structure(changed.value), ...changedOf(changed) } }
      }
      checkSignal(call.signal)
      const report = await applyReview(await workspace.open(), review, { ...call.meta(message), partial, dryRun })
      const { receipt } = report
      const changed = { pending: false, commits: receipt === null ? [] : [{ workspace, receipt }] }
      const said = dryRun ? reviewText(report) : `${reviewText(report)}\n${changedText(changed)}`
      return { text: said, structured: { ...structure(report), ...changedOf(changed) } }
    },
  }),
]
