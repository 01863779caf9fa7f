import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeEntries } from '#shared/actor/outbox.ts'
import { COMMANDS } from '#shared/actor/streams.ts'
import { decodeEnvelope } from '#shared/wire/envelope.ts'
import { decodeEvent } from '#shared/wire/event.ts'
import { filters, parseSubject } from '#shared/wire/subjects.ts'
import { Floors } from '#shared/wire/voiding.ts'
import { TENANT } from '../world/seed.ts'
import type { World } from '../world/world.ts'
import { tenantLog } from './tenant-log.ts'

const TABLES = {
  runs: `select kind, key, parent_kind, parent_key, partition, state, attempt, result, error, started_at, changed_at from runs order by started_at`,
  openings: `select * from epoch_openings order by scope, who, epoch`,
  epochs: `select * from partition_epochs order by kind, partition`,
  processed: `select tenant, kind, key, id, at from processed_commands order by at`,
  timers: `select tenant, kind, key, name, due_at, payload from timers`,
  letters: `select tenant, id, subject, code, message, attempts, history, at from dead_letters`,
  effects: `select * from effects`,
  marks: `select * from log_marks`,
  state: `select kind, key, epoch, version, value from actor_state where kind in ('supervisor', 'agent')`,
} as const

/** What log, command stream and database hold, one file each, for whoever reads why something did not hold. */
export async function dump(world: World, folder: string, problems: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  const write = (name: string, lines: readonly unknown[]): Promise<void> =>
    writeFile(join(folder, `${name}.jsonl`), lines.map((line) => JSON.stringify(line)).join('\n'))
  await write('problems', problems)
  await write('log', await logLines(world))
  await write('commands', await commandLines(world))
  for (const [name, statement] of Object.entries(TABLES)) await write(name, await world.database.lookup(statement, []))
  const outbox = await world.database.lookup<{ entries: Buffer }>(`select * from outbox order by seq`, [])
  await write(
    'outbox',
    outbox.map((row) => ({
      ...row,
      entries: decodeEntries(row.entries).map(([way, subject, id, data, opens]) => ({
        way,
        subject,
        id,
        opens,
        type: typeIn(subject, data),
      })),
    })),
  )
}

async function logLines(world: World): Promise<unknown[]> {
  const log = await tenantLog(world)
  const floors = new Map<string, Floors>()
  const lines: unknown[] = []
  for await (const { subject, data, sequence, at } of log.read({
    filters: [filters.eventsOfTenant(TENANT)],
    from: 1,
  })) {
    const parsed = parseSubject(subject)
    if (parsed.lane !== 'ev') continue
    const { type, id, by, epoch, control, payload } = decodeEvent(data)
    const known = floors.get(parsed.scope) ?? new Floors()
    floors.set(parsed.scope, known)
    const counts = known.admit(decodeEvent(data), parsed.audience)
    lines.push({
      sequence,
      at,
      scope: parsed.scope,
      audience: parsed.audience,
      counts,
      type,
      id,
      by,
      epoch,
      control,
      payload,
    })
  }
  return lines
}

async function commandLines({ transport }: World): Promise<unknown[]> {
  const lines: unknown[] = []
  for await (const { subject, data, sequence, at } of transport.read(COMMANDS, { filters: ['t.*.cmd.>'], from: 1 })) {
    const { id, type, from } = decodeEnvelope(data)
    lines.push({ sequence, at, subject, id, type, from })
  }
  return lines
}

function typeIn(subject: string, data: Uint8Array): string {
  try {
    return subject.includes('.ev.') ? decodeEvent(data).type : decodeEnvelope(data).type
  } catch {
    return '?'
  }
}
