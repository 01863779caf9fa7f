import { createHash } from 'node:crypto'
import type { Reach } from '#shared/actor/ref.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { SendRequest, StopRequest } from '#shared/contracts/client.ts'
import type { SendReceipt, StopReceipt } from '#shared/contracts/client.ts'
import type { WhileRunning } from '#shared/contracts/while-running.ts'
import type { SnapshotBody } from '#gateway/log/reader.ts'
import {
  SendReceipt as SendReceiptSchema,
  StopReceipt as StopReceiptSchema,
  Supervisor,
} from '#shared/contracts/supervisor.ts'
import { operation } from './operation.ts'
import type { Operation } from './operation.ts'

/** What the edge says to a conversation's supervisor; the same for sockets and HTTP. */
export interface Message {
  readonly conversationId: string
  /** The client's own id. */
  readonly id: string
  readonly text: string
  readonly agent?: string | undefined
  readonly whileRunning?: WhileRunning | undefined
  readonly editOf?: string | undefined
}

/** How long the confirmation of a message is waited for before the client hears `pending`. */
const ACCEPT_WITHIN = '8s'

/**
 * Sends a message; the receipt is said after the supervisor's transaction (I12). Sending the same id again is the same
 * command; with another text it is another one, which the supervisor refuses (ID_REUSED).
 */
export async function sendMessage(reach: Reach, message: Message, channel: string): Promise<SendReceipt> {
  const { conversationId, id, text, agent = null, whileRunning, editOf } = message
  // What is not asked for is not said: on the wire, undefined is a value.
  const how = { ...(whileRunning === undefined ? {} : { whileRunning }), ...(editOf === undefined ? {} : { editOf }) }
  const { tenant, user } = reach.principal
  const command = createHash('sha256')
    .update(JSON.stringify([tenant, conversationId, user, id, text, agent]))
    .digest('hex')
    .slice(0, 40)
  try {
    const receipt = await reach
      .ref(Supervisor, conversationId)
      .confirm('send', { clientId: id, text, agent, channel, ...how }, { id: `m-${command}`, within: ACCEPT_WITHIN })
    return SendReceiptSchema.parse(receipt)
  } catch (error) {
    // Stored by the broker and not confirmed in time: it may still be handled, the same id again asks for the receipt.
    if (coded(error).code === 'DEADLINE') return { messageId: '', turnId: '', status: 'pending' }
    throw error
  }
}

export async function stopTurn(reach: Reach, conversationId: string, turnId: string | null): Promise<StopReceipt> {
  const receipt = await reach
    .ref(Supervisor, conversationId)
    .confirm('stop', { turnId, reason: `stopped by ${reach.principal.user}` }, { within: ACCEPT_WITHIN })
  return StopReceiptSchema.parse(receipt)
}

/** Makes the conversation, if it is not there; harmless twice. */
export async function openConversation(reach: Reach, conversationId: string, channel: string): Promise<void> {
  await reach
    .ref(Supervisor, conversationId)
    .confirm('open', { channel }, { id: `open-${conversationId}`, within: ACCEPT_WITHIN })
}

/** Longer than a takeover: a conversation whose holder has just died is waited for. Below what clients wait for an answer. */
const SNAPSHOT_WITHIN = '9s'

/**
 * The conversation as it stands, for whoever may see it: NOT_FOUND or FORBIDDEN.
 *
 * @param staff with what only people of the tenant may see; a reader of `pub` alone never asks for it
 */
export function takeSnapshot(reach: Reach, conversationId: string, staff: boolean): Promise<SnapshotBody> {
  return reach.ref(Supervisor, conversationId).ask('snapshot', { staff }, { within: SNAPSHOT_WITHIN })
}

export const MESSAGE_OPERATIONS: readonly Operation[] = [
  operation({
    event: 'message:send',
    input: SendRequest,
    output: SendReceiptSchema,
    ordered: true,
    rest: {
      method: 'POST',
      path: '/conversations/{conversationId}/messages',
      id: 'sendMessage',
      tag: 'conversations',
      status: 202,
      summary: 'Sends a message. The same id again is harmless; `pending` asks for it to be sent again.',
    },
    run: ({ reach, channel }, input) => sendMessage(reach, input, channel),
  }),
  operation({
    event: 'run:stop',
    input: StopRequest,
    output: StopReceiptSchema,
    rest: {
      method: 'POST',
      path: '/conversations/{conversationId}/stop',
      id: 'stopTurn',
      tag: 'conversations',
      status: 202,
      summary: 'Stops a turn, or the one at work. What stopped and what had happened comes with `turn:ended`.',
    },
    run: ({ reach }, { conversationId, turnId }) => stopTurn(reach, conversationId, turnId ?? null),
  }),
]
