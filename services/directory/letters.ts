import type { PoolContext } from '#shared/actor/definition.ts'
import type { Directory } from '#shared/contracts/directory.ts'
import type { PoolHandlers } from '#shared/actor/definition.ts'
import { coded, refuse } from '#shared/errors/waggle-error.ts'
import type { Database } from '#shared/db/database.ts'
import { decideDeadLetter, listDeadLetters, showDeadLetter } from '#shared/db/repositories/dead-letters.ts'
import type { DeadLetterHead } from '#shared/db/repositories/dead-letters.ts'
import { decodeEnvelope, encodeEnvelope } from '#shared/wire/envelope.ts'
import { parseSubject } from '#shared/wire/subjects.ts'
import { markOf, nextOf } from './pages.ts'

/** Puts a command on its way again. */
export type Replay = (subject: string, bytes: Uint8Array, messageId: string) => Promise<void>

const STAFF = ['operator', 'admin']

type LetterHandlers = Pick<PoolHandlers<(typeof Directory)['messages']>, 'letters' | 'letter' | 'replay'>

/** The dead letters of a tenant, for its staff: list, look at one, send it again as a new attempt in the same trace (I13). */
export function letterHandlers(database: Database, replay: Replay): LetterHandlers {
  return {
    letters: (ctx, { limit, after }) =>
      database.tenant(staff(ctx), async (sql) => {
        const rows = await listDeadLetters(sql, { limit, ...markOf(after) })
        return { letters: rows.map(summary), next: nextOf(rows, limit, (row) => ({ at: row.at, id: row.id })) }
      }),

    letter: (ctx, { id }) =>
      database.tenant(staff(ctx), async (sql) => {
        const row = await showDeadLetter(sql, id)
        if (row === null) throw refuse('NOT_FOUND', { letter: id })
        return {
          ...summary(row),
          payload: readable(row.payload),
          bytes: Buffer.from(row.payload).toString('base64'),
          history: [...row.history],
          trace: row.trace,
        }
      }),

    replay: async (ctx, { id, payload }) => {
      const tenant = staff(ctx)
      const row = await database.tenant(tenant, (sql) => showDeadLetter(sql, id))
      if (row === null) throw refuse('NOT_FOUND', { letter: id })
      if (row.state !== 'buried') throw refuse('CONFLICT', { letter: id, state: row.state, by: row.decidedBy })
      const { subject, bytes, commandId } = again(tenant, id, row.subject, row.payload, payload)
      // Sent first: a letter marked and not sent would be lost. Two who replay it at once send the same command, whose
      // id comes from the letter.
      await replay(subject, bytes, commandId)
      await database.tenant(tenant, (sql) =>
        decideDeadLetter(sql, id, { state: 'replayed', by: ctx.cause.principal?.user ?? '', at: Date.now() }),
      )
      return { id: commandId }
    },
  }
}

function again(
  tenant: string,
  letter: string,
  subject: string,
  payload: Uint8Array,
  edited: unknown,
): { subject: string; bytes: Uint8Array; commandId: string } {
  try {
    const parsed = parseSubject(subject)
    if (parsed.lane !== 'cmd' || parsed.tenant !== tenant)
      throw refuse('BAD_INPUT', { reason: 'Only commands of this tenant can be replayed.' })
    const envelope = decodeEnvelope(payload)
    const commandId = `replay-${letter}`
    const bytes = encodeEnvelope({
      ...envelope,
      id: commandId,
      attempt: envelope.attempt + 1,
      at: Date.now(),
      receipt: '',
      chain: [],
      payload: edited === undefined ? envelope.payload : edited,
    })
    return { subject, bytes, commandId }
  } catch (error) {
    const failure = coded(error)
    throw refuse('BAD_INPUT', {
      reason: failure.expected ? failure.message : `It cannot be replayed: ${failure.message}`,
    })
  }
}

function staff(ctx: PoolContext): string {
  if (ctx.cause.principal?.roles.some((role) => STAFF.includes(role)) !== true)
    throw refuse('FORBIDDEN', { reason: 'Dead letters are for operators.' })
  return ctx.tenant
}

function readable(payload: Uint8Array): unknown {
  try {
    return decodeEnvelope(payload).payload
  } catch {
    return null
  }
}

function summary(row: DeadLetterHead): {
  id: string
  subject: string
  code: string
  message: string
  attempts: number
  at: number
  state: string
} {
  const { id, subject, code, message, attempts, at, state } = row
  return { id, subject, code, message, attempts, at, state }
}
