import { MESSAGE_OPERATIONS } from './messages.ts'
import type { Operation } from './operation.ts'
import { REVIEW_OPERATIONS } from './reviews.ts'

/** Every operation there is, by topic. */
export const OPERATIONS: readonly Operation[] = [...MESSAGE_OPERATIONS, ...REVIEW_OPERATIONS]
