import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import type { StaffSnapshot } from '#shared/contracts/client.ts'
import { listNotes } from '#shared/db/repositories/notes.ts'
import { readMarks } from '#shared/db/repositories/read-marks.ts'
import { briefingOf } from './briefing.ts'
import { noteOf } from './notes.ts'
import { offerOf } from './offers.ts'
import type { SupervisorState } from './state.ts'

/** Notes of a snapshot, the newest, and their text together, as JSON: the reply must fit into one message of the broker. */
const SNAPSHOT_NOTES = 100
const NOTES_BYTES = 128 * 1024

/** What only people of the tenant may see; never part of what a customer gets. */
export async function staffSnapshot(ctx: Context<SupervisorState>, sql: TenantSql): Promise<StaffSnapshot> {
  const { offer, turns, assigned, mode } = ctx.state
  let bytes = 0
  const notes = (await listNotes(sql, ctx.key[0]!, SNAPSHOT_NOTES))
    .map(noteOf)
    .toReversed()
    .filter((note) => (bytes += Buffer.byteLength(JSON.stringify(note))) <= NOTES_BYTES)
    .toReversed()
  return {
    offer: offer === null ? null : offerOf(offer),
    notes,
    drafts: turns.flatMap(({ turnId, draft }) => (draft === null ? [] : [{ turnId, message: draft.message }])),
    briefing: mode === 'human' ? await briefingOf(ctx, sql) : null,
    assigned: { ...assigned },
    reads: (await readMarks(sql, ctx.key[0]!)).map(({ userId, messageId, at }) => ({ user: userId, messageId, at })),
  }
}
