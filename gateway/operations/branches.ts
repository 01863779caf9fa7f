import { createHash } from 'node:crypto'
import type { Reach } from '#shared/actor/ref.ts'
import {
  BranchReceipt,
  CheckpointRequest,
  ForkRequest,
  RegenerateRequest,
  RunRequest,
  SelectRequest,
  SendReceipt,
} from '#shared/contracts/client.ts'
import { CheckpointList, CheckpointView, Directory } from '#shared/contracts/directory.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { operation } from './operation.ts'
import type { Operation } from './operation.ts'

const CONFIRM_WITHIN = '8s'

/** Branches of a conversation, and the past of its runs. */
export const BRANCH_OPERATIONS: readonly Operation[] = [
  operation({
    event: 'message:regenerate',
    input: RegenerateRequest,
    output: SendReceipt,
    ordered: true,
    rest: {
      method: 'POST',
      path: '/conversations/{conversationId}/messages/{messageId}/regenerate',
      id: 'regenerateMessage',
      tag: 'conversations',
      status: 202,
      summary: 'Answers a message once more, beside the answer that is there; BUSY while a turn is at work.',
    },
    run: async ({ reach }, { conversationId, messageId, id, agent = null }) =>
      SendReceipt.parse(
        await reach
          .ref(Supervisor, conversationId)
          .confirm('regenerate', { messageId, agent }, once(reach, id, ['regenerate', conversationId, messageId])),
      ),
  }),
  operation({
    event: 'branch:select',
    input: SelectRequest,
    output: BranchReceipt,
    ordered: true,
    rest: {
      method: 'POST',
      path: '/conversations/{conversationId}/branch',
      id: 'selectBranch',
      tag: 'conversations',
      summary: 'Makes the branch through a message the active one, down to where it was left.',
    },
    run: async ({ reach }, { conversationId, messageId }) =>
      BranchReceipt.parse(
        await reach.ref(Supervisor, conversationId).confirm('select', { messageId }, { within: CONFIRM_WITHIN }),
      ),
  }),
  operation({
    event: 'run:fork',
    input: ForkRequest,
    output: SendReceipt,
    role: 'operator',
    ordered: true,
    rest: {
      method: 'POST',
      path: '/conversations/{conversationId}/runs/{runId}/fork',
      id: 'forkRun',
      tag: 'runs',
      status: 202,
      summary: 'A new run from a checkpoint of an earlier one, as a new turn on a branch of its own.',
    },
    run: async ({ reach }, { conversationId, runId, checkpointId, id }) =>
      SendReceipt.parse(
        await reach
          .ref(Supervisor, conversationId)
          .confirm('fork', { runId, checkpointId }, once(reach, id, ['fork', conversationId, runId, checkpointId])),
      ),
  }),
  operation({
    event: 'run:checkpoints',
    input: RunRequest,
    output: CheckpointList,
    role: 'operator',
    rest: {
      method: 'GET',
      path: '/runs/{runId}/checkpoints',
      id: 'listCheckpoints',
      tag: 'runs',
      summary: 'Checkpoints of a run that are kept, the newest first.',
    },
    run: ({ reach }, { runId }) => reach.pool(Directory, 'main').ask('checkpoints', { runId }),
  }),
  operation({
    event: 'run:checkpoint',
    input: CheckpointRequest,
    output: CheckpointView,
    role: 'operator',
    rest: {
      method: 'GET',
      path: '/runs/{runId}/checkpoints/{checkpointId}',
      id: 'getCheckpoint',
      tag: 'runs',
      summary: 'A run at one of its checkpoints: what the model was told by then, and what it had said.',
    },
    run: ({ reach }, input) => reach.pool(Directory, 'main').ask('checkpoint', input),
  }),
]

/** A command that a client may send again under its id. */
function once(
  { principal }: Reach,
  id: string | undefined,
  what: readonly string[],
): { within: typeof CONFIRM_WITHIN; id?: string } {
  if (id === undefined) return { within: CONFIRM_WITHIN }
  const named = JSON.stringify([principal.tenant, principal.user, id, ...what])
  return { within: CONFIRM_WITHIN, id: `b-${createHash('sha256').update(named).digest('hex').slice(0, 40)}` }
}
