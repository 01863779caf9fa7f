import type { z } from 'zod'
import type { Reach } from '#shared/actor/ref.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import type { ExecuteResult } from '#shared/contracts/client.ts'
import type { EventPayload, MessageFact } from '#shared/contracts/event-map.ts'
import { WaggleError, refuse } from '#shared/errors/waggle-error.ts'
import { newId } from '#shared/lib/ids.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import type { PublicEntry } from '#gateway/log/entry.ts'
import type { LogReader } from '#gateway/log/log-reader.ts'
import { View } from '#gateway/log/view.ts'
import { openConversation, sendMessage } from '#gateway/sockets/commands.ts'

export interface Execution {
  readonly reader: LogReader
  readonly principal: Principal
  readonly reach: Reach
  readonly agent: string
  readonly text: string
  readonly id?: string | undefined
  readonly conversationId?: string | undefined
  readonly withinMs: number
  readonly signal: AbortSignal
}

/** One question, one answer: reads the log until the turn ends. The run goes on when nobody waits any more (I4). */
export async function executeAgent(request: Execution): Promise<z.infer<typeof ExecuteResult>> {
  const { reader, principal, reach, agent, text, withinMs, signal } = request
  const conversationId = request.conversationId ?? newId()
  await openConversation(reach, conversationId, 'rest')
  const entries: PublicEntry[] = []
  const ended = Promise.withResolvers<void>()
  let turnId = ''
  const look = (): void => {
    if (
      turnId !== '' &&
      entries.some(
        (entry) => entry.wire.type === 'turn:ended' && (entry.wire.payload as { turnId: string }).turnId === turnId,
      )
    )
      ended.resolve()
  }
  const opening = await reader.open({
    view: View.customer(principal),
    conversationId,
    after: undefined,
    takeSnapshot: () => reach.ref(Supervisor, conversationId).ask('snapshot', {}),
    sink: {
      entries: (batch) => {
        entries.push(...batch)
        look()
      },
      snapshot: () => {},
      congested: () => false,
      failed: (error) => ended.reject(error),
    },
  })
  const late = setTimeout(() => ended.reject(refuse('DEADLINE', { conversationId, turnId })), withinMs)
  const onAbort = (): void => ended.reject(new WaggleError('CANCELLED'))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    opening.start()
    const receipt = await sendMessage(reach, { conversationId, id: request.id ?? newId(), text, agent }, 'rest')
    if (receipt.status === 'pending') throw refuse('PENDING', { conversationId })
    turnId = receipt.turnId
    look()
    await ended.promise
    const end = entries.findLast((entry) => entry.wire.type === 'turn:ended')!.wire
      .payload as EventPayload<'turn:ended'>
    const message = entries.findLast(
      (entry) =>
        entry.wire.type === 'message:completed' && (entry.wire.payload as MessageFact).parentId === receipt.messageId,
    )
    return {
      conversationId,
      turnId,
      outcome: end.outcome,
      message: (message?.wire.payload as MessageFact | undefined) ?? null,
      report: end.report,
    }
  } finally {
    clearTimeout(late)
    signal.removeEventListener('abort', onAbort)
    opening.close()
    ended.promise.catch(() => {})
  }
}
