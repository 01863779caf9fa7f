import { BRANCH_OPERATIONS } from './branches.ts'
import { BUDGET_OPERATIONS } from './budgets.ts'
import { CONTROL_OPERATIONS } from './control.ts'
import { MESSAGE_OPERATIONS } from './messages.ts'
import type { Operation } from './operation.ts'
import { REVIEW_OPERATIONS } from './reviews.ts'

/** Every operation there is, by topic. */
export const OPERATIONS: readonly Operation[] = [
  ...MESSAGE_OPERATIONS,
  ...BRANCH_OPERATIONS,
  ...BUDGET_OPERATIONS,
  ...CONTROL_OPERATIONS,
  ...REVIEW_OPERATIONS,
]
