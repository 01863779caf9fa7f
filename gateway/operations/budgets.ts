import { RaiseReceipt, RaiseRequest } from '#shared/contracts/client.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { operation } from './operation.ts'
import type { Operation } from './operation.ts'

const ACCEPT_WITHIN = '8s'

export const BUDGET_OPERATIONS: readonly Operation[] = [
  operation({
    event: 'budget:raise',
    input: RaiseRequest,
    output: RaiseReceipt,
    role: 'operator',
    rest: {
      method: 'POST',
      path: '/conversations/{conversationId}/budget',
      id: 'raiseBudget',
      tag: 'conversations',
      summary: 'Lets a turn that waits because its budget is spent go on with more, or ends it; for operators.',
    },
    run: async ({ reach }, { conversationId, ...given }) =>
      RaiseReceipt.parse(
        await reach.ref(Supervisor, conversationId).confirm('raise', given, { within: ACCEPT_WITHIN }),
      ),
  }),
]
