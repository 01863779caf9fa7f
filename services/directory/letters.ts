import type { PoolContext } from '#shared/actor/definition.ts'
import type { Directory } from '#shared/contracts/directory.ts'
import { MAX_LETTERS_AT_ONCE } from '#shared/contracts/letter.ts'
import type { LetterSummary } from '#shared/contracts/letter.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import type { PoolHandlers } from '#shared/actor/definition.ts'
import { coded, refuse } from '#shared/errors/waggle-error.ts'
import type { Database } from '#shared/db/database.ts'
import { appendAudit } from '#shared/db/repositories/audit.ts'
import {
  decideDeadLetter,
  listDeadLetters,
  purgeDeadLetters,
  showDeadLetter,
  undecidedLetters,
} from '#shared/db/repositories/dead-letters.ts'
import type { DeadLetterHead } from '#shared/db/repositories/dead-letters.ts'
import { markOf, nextOf } from '#shared/db/repositories/page-mark.ts'
import { again, readable } from './replay.ts'

/** Puts a message on its way again. */
export type Replay = (subject: string, bytes: Uint8Array, messageId: string) => Promise<void>

const ADMIN = 'admin'

type Handled = 'letters' | 'letter' | 'replay' | 'replayAll' | 'discard' | 'discardAll' | 'purge'
type LetterHandlers = Pick<PoolHandlers<(typeof Directory)['messages']>, Handled>

/**
 * The dead letters of a tenant, for its staff: list, look at one, send it again as a new attempt in the same trace,
 * discard it, purge what is old (I13). Who decided what is in the audit log.
 */
export function letterHandlers(database: Database, replay: Replay): LetterHandlers {
  const replayOne = async (ctx: PoolContext, id: string, edited: unknown): Promise<string> => {
    const row = await database.tenant(ctx.tenant, (sql) => showDeadLetter(sql, id))
    if (row === null) throw refuse('NOT_FOUND', { letter: id })
    if (row.state !== 'buried') throw refuse('CONFLICT', { letter: id, state: row.state, by: row.decidedBy })
    const command = again(ctx.tenant, row, edited)
    // Sent first: a letter marked and not sent would be lost. Two who replay it at once send the same message, whose
    // id comes from the letter.
    await replay(command.subject, command.bytes, command.id)
    await decide(ctx, id, 'replayed', { code: row.code, edited: edited !== undefined })
    return command.id
  }

  /** False when somebody else has decided meanwhile. */
  const decide = (
    ctx: PoolContext,
    id: string,
    state: 'replayed' | 'discarded',
    details: Readonly<Record<string, unknown>> = {},
  ): Promise<boolean> =>
    database.tenant(ctx.tenant, async (sql) => {
      const by = userOf(ctx)
      if (!(await decideDeadLetter(sql, id, { state, by, at: Date.now() }))) return false
      await appendAudit(sql, { principal: by, action: `letter.${state}`, subject: id, details })
      return true
    })

  return {
    letters: (ctx, { limit, after, filter = {} }) =>
      database.tenant(forStaff(ctx), async (sql) => {
        const rows = await listDeadLetters(sql, { ...filter, limit, ...markOf(after) })
        return { letters: rows.map(summary), next: nextOf(rows, limit, (row) => ({ at: row.at, id: row.id })) }
      }),

    letter: (ctx, { id }) =>
      database.tenant(forStaff(ctx), async (sql) => {
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
      forStaff(ctx)
      return { id: await replayOne(ctx, id, payload) }
    },

    replayAll: async (ctx, { filter }) => {
      const ids = await database.tenant(forStaff(ctx), (sql) => undecidedLetters(sql, filter, MAX_LETTERS_AT_ONCE + 1))
      const replayed: { letter: string; id: string }[] = []
      const failed: { letter: string; code: string; reason: string }[] = []
      for (const letter of ids.slice(0, MAX_LETTERS_AT_ONCE)) {
        ctx.signal.throwIfAborted()
        try {
          replayed.push({ letter, id: await replayOne(ctx, letter, undefined) })
        } catch (error) {
          const { code, message, details } = coded(error)
          const reason: unknown = details['reason']
          failed.push({ letter, code, reason: typeof reason === 'string' ? reason : message })
        }
      }
      return { replayed, failed, left: ids.length > MAX_LETTERS_AT_ONCE }
    },

    discard: async (ctx, { id }) => {
      const row = await database.tenant(forStaff(ctx), (sql) => showDeadLetter(sql, id))
      if (row === null) throw refuse('NOT_FOUND', { letter: id })
      if (!(await decide(ctx, id, 'discarded', { code: row.code })))
        throw refuse('CONFLICT', { letter: id, state: row.state, by: row.decidedBy })
      return {}
    },

    discardAll: async (ctx, { filter }) => {
      const ids = await database.tenant(forStaff(ctx), (sql) => undecidedLetters(sql, filter, MAX_LETTERS_AT_ONCE + 1))
      let discarded = 0
      for (const id of ids.slice(0, MAX_LETTERS_AT_ONCE)) if (await decide(ctx, id, 'discarded')) discarded++
      return { discarded, left: ids.length > MAX_LETTERS_AT_ONCE }
    },

    purge: (ctx, which) =>
      database.tenant(forAdmins(ctx), async (sql) => {
        const purged = await purgeDeadLetters(sql, { ...which, limit: PURGED_AT_ONCE })
        if (purged > 0)
          await appendAudit(sql, {
            principal: userOf(ctx),
            action: 'letter.purged',
            subject: 'dead letters',
            details: { ...which, purged },
          })
        return { purged, left: purged === PURGED_AT_ONCE }
      }),
  }
}

/** Letters that one request removes at most. */
const PURGED_AT_ONCE = 5_000

/** The tenant, for whoever has one of these roles. */
function forStaff(ctx: PoolContext): string {
  requireStaff(ctx, 'Dead letters are')
  return ctx.tenant
}

function forAdmins(ctx: PoolContext): string {
  if (ctx.cause.principal?.roles.includes(ADMIN) !== true)
    throw refuse('FORBIDDEN', { needs: ADMIN, reason: 'Dead letters are purged by administrators.' })
  return ctx.tenant
}

function userOf(ctx: PoolContext): string {
  return ctx.cause.principal?.user ?? ''
}

function summary(row: DeadLetterHead): LetterSummary {
  const { id, subject, kind, code, message, attempts, at, state } = row
  return { id, subject, kind, code, message, attempts, at, state }
}
