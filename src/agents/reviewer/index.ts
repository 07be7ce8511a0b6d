export {
  type AppliedChange,
  applyReview,
  type ReviewConflict,
  type ReviewOptions,
  type ReviewReport,
} from './apply-review.ts'
export type { Review, ReviewChange } from './review.ts'
