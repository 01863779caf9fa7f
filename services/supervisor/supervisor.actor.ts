import { actor } from '#shared/actor/definition.ts'
import type { ChildEnd, Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { Agent, Route } from '#shared/contracts/agent.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import type { SendReceipt, StopReceipt } from '#shared/contracts/client.ts'
import { publicFailureOf } from '#shared/contracts/failure.ts'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { openConversation, requireOwner } from './conversation.ts'
import { initialState } from './state.ts'
import type { SupervisorState, Turn } from './state.ts'
import { beginTurn, endTurn, nextTurn, recentHistory } from './turns.ts'
import { sendPublic } from './send-public.ts'
import { readSnapshot } from './snapshot.ts'
import { storeMessage } from './stored-messages.ts'

/** Turns that may wait in one conversation; beyond it: BUSY. */
const MAX_QUEUED = 20

type Ctx = Context<SupervisorState>

/**
 * The supervisor of one conversation (key: its id): it stores what is said, decides in a child run who answers, hands
 * the turn to that agent, and says the answer. Its handlers do SQL and tells and nothing else, so a stop is always heard.
 * One turn is at work at a time; further messages wait in order.
 */
export const supervisor = actor(Supervisor, {
  state: { version: 1, initial: initialState },
  sleepAfter: '10m',
  children: {
    strategy: 'one-for-one',
    restarts: 3,
    within: '1m',
    backoff: ['100ms', '2s'],
    decide: (error) => (error.code === 'MODEL_AUTH' ? 'stop' : 'restart'),
  },
  on: {
    async open(ctx, { channel }) {
      await openConversation(ctx, await ctx.sql(), channel)
    },

    async send(ctx, { clientId, text, agent, channel }): Promise<SendReceipt> {
      const sql = await ctx.sql()
      await openConversation(ctx, sql, channel)
      const user = ctx.cause.principal?.user ?? 'anonymous'
      const conversationId = ctx.key[0]!
      const turn: Turn = {
        turnId: ctx.newId(),
        messageId: ctx.newId(),
        answerId: ctx.newId(),
        text,
        wanted: agent,
        principal: ctx.cause.principal,
        taint: [...ctx.cause.taint],
        phase: 'queued',
        agent: null,
        runId: null,
        startedAt: ctx.now,
      }
      const message: MessageFact = {
        id: turn.messageId,
        clientId,
        parentId: ctx.state.lastMessageId,
        role: 'user',
        author: user,
        text,
        citations: [],
        extractive: false,
        data: null,
        revision: 1,
        at: ctx.now,
      }
      const stored = await storeMessage(sql, message, {
        conversationId,
        control: ctx.state.control,
        turnId: turn.turnId,
        runId: null,
        principal: user,
      })
      if (!stored.fresh) return { messageId: stored.fact.id, turnId: stored.turnId ?? '', status: 'accepted' }
      // Only a new message can be one too many: a repeated one gets its receipt.
      if (ctx.state.turns.length > MAX_QUEUED)
        throw refuse('BUSY', { queued: ctx.state.turns.length, limit: MAX_QUEUED })
      ctx.emit('message:received', message, { audience: 'pub' })
      ctx.state.lastMessageId = turn.messageId
      ctx.state.turns.push(turn)
      const queued = ctx.state.turns.length > 1
      if (!queued) beginTurn(ctx, turn, await recentHistory(ctx, sql))
      return { messageId: turn.messageId, turnId: turn.turnId, status: queued ? 'queued' : 'accepted' }
    },

    async stop(ctx, { turnId, reason }): Promise<StopReceipt> {
      requireOwner(ctx)
      const turn = ctx.state.turns.find((candidate) => turnId === null || candidate.turnId === turnId)
      if (turn === undefined) return { turnId: null, status: 'nothing' }
      const conversationId = ctx.key[0]!
      switch (turn.phase) {
        case 'queued':
          endTurn(ctx, turn, 'stopped', null, { stopped: [`turn ${turn.turnId}`], couldNot: [], happened: [] })
          break
        case 'routing':
          ctx.stop(Route, [conversationId, turn.turnId], reason)
          break
        case 'running':
          ctx.tell(Agent, [conversationId, turn.agent!], 'cancel', { turnId: turn.turnId, reason })
          break
      }
      return { turnId: turn.turnId, status: 'stopping' }
    },

    async finished(ctx, end) {
      const turn = ctx.state.turns.find((candidate) => candidate.turnId === end.turnId)
      if (turn === undefined) return
      const sql = await ctx.sql()
      const conversationId = ctx.key[0]!
      if (end.message !== null) {
        const said = await sendPublic(
          ctx,
          sql,
          { id: conversationId, control: ctx.state.control },
          ctx.cause.control,
          end.message,
          end,
        )
        if (said) {
          ctx.state.lastMessageId = end.message.id
          ctx.state.current = end.agent
        }
      }
      if (end.outcome === 'escalated')
        ctx.emit('human:offered', { turnId: end.turnId, reason: escalation(end.message) }, { audience: 'pub' })
      endTurn(ctx, turn, end.outcome, end.error, end.report)
      await nextTurn(ctx, sql)
    },

    async snapshot(ctx) {
      requireOwner(ctx)
      return await readSnapshot(ctx, await ctx.sql())
    },
  },

  async ended(ctx, end) {
    const turn = ctx.state.turns.find((candidate) => candidate.turnId === end.key[1])
    if (turn === undefined || turn.phase !== 'routing') return
    await routed(ctx, turn, end)
  },
})

async function routed(ctx: Ctx, turn: Turn, end: ChildEnd): Promise<void> {
  const sql = await ctx.sql()
  if (end.state === 'stopped') {
    endTurn(ctx, turn, 'stopped', null, { stopped: ['routing'], couldNot: [], happened: [] })
    return await nextTurn(ctx, sql)
  }
  if (end.state === 'failed') {
    endTurn(ctx, turn, 'failed', publicFailureOf(end.error ?? { code: 'INTERNAL', details: {} }), null)
    return await nextTurn(ctx, sql)
  }
  const route = end.result as { agent: string | null; title: string; reason: string; ms: number }
  ctx.emit(
    'route:decided',
    { turnId: turn.turnId, agent: route.agent, reason: route.reason, ms: route.ms },
    { audience: 'ops' },
  )
  if (route.agent !== null) return dispatch(ctx, turn, route.agent, await recentHistory(ctx, sql))
  await offerHuman(ctx, sql, turn)
  await nextTurn(ctx, sql)
}

function dispatch(ctx: Ctx, turn: Turn, agent: string, history: Awaited<ReturnType<typeof recentHistory>>): void {
  turn.phase = 'running'
  turn.agent = agent
  turn.runId = ctx.newId()
  const { turnId, messageId, answerId, runId, text } = turn
  ctx.tell(
    Agent,
    [ctx.key[0]!, agent],
    'prompt',
    { turnId, runId, messageId, answerId, text, history },
    { fresh: true, principal: turn.principal, taint: turn.taint, control: ctx.state.control },
  )
}

/** Nobody fits: that is said, and a person is offered. */
async function offerHuman(ctx: Ctx, sql: TenantSql, turn: Turn): Promise<void> {
  const message: MessageFact = {
    id: turn.answerId,
    clientId: '',
    parentId: turn.messageId,
    role: 'system',
    author: 'system',
    text: NOBODY_FITS,
    citations: [],
    extractive: false,
    data: null,
    revision: 1,
    at: ctx.now,
  }
  await sendPublic(ctx, sql, { id: ctx.key[0]!, control: ctx.state.control }, ctx.state.control, message, {
    turnId: turn.turnId,
    runId: null,
  })
  ctx.state.lastMessageId = message.id
  ctx.emit('human:offered', { turnId: turn.turnId, reason: 'no agent fits' }, { audience: 'pub' })
  endTurn(ctx, turn, 'refused', publicFailureOf({ code: 'NO_AGENT', details: {} }), null)
}

const NOBODY_FITS = 'None of our assistants can help with that. Shall I ask a person to answer you?'

function escalation(message: MessageFact | null): string {
  const data = message?.data as { escalate?: unknown } | null | undefined
  return typeof data?.escalate === 'string' ? data.escalate : 'asked for a person'
}
