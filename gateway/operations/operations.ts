import { BUDGET_OPERATIONS } from './budgets.ts'
import { MESSAGE_OPERATIONS } from './messages.ts'
import type { Operation } from './operation.ts'

/** Every operation there is, by topic. */
export const OPERATIONS: readonly Operation[] = [...MESSAGE_OPERATIONS, ...BUDGET_OPERATIONS]
