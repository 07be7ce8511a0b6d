export type { Watching } from './capture/capture.ts'
export type { Collected, CollectOptions, CollectRequest, ScopeOptions } from './capture/collect-options.ts'
export type { CommandOptions, Outcome, OutputUse } from './capture/command.ts'
export type { LeftOut, LeftOutGroup, LeftOutReason } from './capture/left-out.ts'
export type { RunOptions, RunResult } from './capture/run.ts'
export type { Watch, WatchOptions } from './capture/watch.ts'
export type { CellEdit, CellName, CellType } from './edit/cell-edit.ts'
export type { EditMatch, Matching } from './edit/edits.ts'
export type { ImportChange } from './edit/imports/import-change.ts'
export type { ImportsOptions } from './edit/imports/imports.ts'
export type { Leniency } from './edit/lenient.ts'
export type { MergeConflict } from './edit/merge.ts'
export type { HunkConflict, HunkMatch, HunkMatching, PatchFormat } from './edit/patch/file-patch.ts'
export type { PatchOptions } from './edit/patch/patch-set.ts'
export type { PlainTable, PlainValue } from './edit/plain-value.ts'
export type { Change } from './edit/revisers.ts'
export type { KeyPath } from './edit/settings/key-path.ts'
export type { SettingChange } from './edit/settings/setting-change.ts'
export type { SettingsOptions } from './edit/settings/settings.ts'
export type { Encoding } from './edit/text.ts'
export type { About, ChainedCommit, Commit, CommitKind, Meta } from './entry/commit.ts'
export type { Entry, Json, NoteEntry, PathEntry, TextEdit } from './entry/entry.ts'
export type { ContentHash, DirectoryState, FileState, Owner, State, SymlinkState } from './entry/state.ts'
export type { ErrorCode } from './errors.ts'
export { JournalError } from './errors.ts'
export type { DiffQuery, FileDiff } from './history/diff.ts'
export type { Problem } from './history/findings.ts'
export type { FollowGap, FollowOptions } from './history/follow.ts'
export type { At, HistoryQuery } from './history/query.ts'
export type { ReplayResult } from './history/replay.ts'
export type { Stats } from './history/stats.ts'
export type { ExternalChange } from './history/status.ts'
export type { UndoConflict } from './history/undo/plan.ts'
export type { ConflictChoice, ConflictSide } from './history/undo/reversal.ts'
export type { TransactionCriteria, TransactionSelection } from './history/undo/selection.ts'
export type { Gap, VerifiedHorizon, VerifyReport } from './history/verify.ts'
export type { Journal } from './journal.ts'
export type {
  CheckOptions,
  CompactOptions,
  EventOrigin,
  JournalEvents,
  PurgeOptions,
  RestoreOptions,
  RestoreResult,
  Status,
  TransactionOptions,
  UndoOptions,
  UndoPreview,
  UndoReceipt,
} from './journal-types.ts'
export { openJournal, planRecovery, salvageJournal } from './open-journal.ts'
export type { OpenOptions, Progress, RetentionOptions, SizeLimits } from './options.ts'
export type { RecoveryReport } from './recovery/report.ts'
export type { CompactResult } from './retention/compact.ts'
export type { Dropped } from './retention/drop.ts'
export type { RetentionLimits } from './retention/policy.ts'
export type { PurgeResult } from './retention/purge.ts'
export type { CheckName, Reason, SafetyCheck, SafetyReport } from './safety/checks/report.ts'
export type { Difference, IntegrityReport } from './safety/integrity.ts'
export type { ValidatedFile, Validator, ValidatorIssue } from './safety/validation/custom.ts'
export type { FileType } from './safety/validation/file-type.ts'
export type { ValidationLevel } from './safety/validation/level.ts'
export type { ValidationOptions } from './safety/validation/options.ts'
export type { Issue, ValidationReport } from './safety/validation/validation.ts'
export type { LostTransaction, LostVersion, SalvageReport } from './salvage/report.ts'
export type { AgentOptions, AgentSettings } from './team/agent-settings.ts'
export type { Coordinated, StepReceipt } from './team/coordination.ts'
export type { Announced, Intent, IntentRequest, Intents } from './team/intents.ts'
export type { Lease, LeaseInfo, LeaseOptions, Leases } from './team/leases.ts'
export type { Overlap, Overlaps, Saving } from './team/overlaps.ts'
export type { Compared, Dependency, Gain, PlanGroup, PlanLevel, PlanStep, TeamPlan } from './team/team-plan.ts'
export type { NamedTask, TeamFile, TeamRequest, TeamTask } from './team/team-task.ts'
export type { Operation } from './transaction/operation.ts'
export type {
  EditOptions,
  ExpectOptions,
  RemoveOptions,
  TextOptions,
  WriteOptions,
} from './transaction/operation-options.ts'
export type { FileReceipt, Receipt } from './transaction/receipt.ts'
export type { Revision, Saved } from './transaction/revision.ts'
export type { ContentInput } from './transaction/stager.ts'
export type { Transaction } from './transaction/transaction.ts'
