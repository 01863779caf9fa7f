import { EventLog } from '#shared/actor/event-log.ts'
import type { LogPlace, LogView } from '#shared/actor/event-log.ts'
import { COMMANDS, EVENTS } from '#shared/actor/streams.ts'
import { decodeEnvelope } from '#shared/wire/envelope.ts'
import { decodeEvent } from '#shared/wire/event.ts'
import type { LogEvent } from '#shared/wire/event.ts'
import { parseSubject } from '#shared/wire/subjects.ts'
import { Floors } from '#shared/wire/voiding.ts'
import type { AlarmState, BossState, CourierState, TallyState } from './workload.ts'
import type { World } from './world.ts'

/** What must hold in every run that has settled, whatever was done to it. What does not is written to `world.problems`. */
export async function checkWorld(world: World, voiding: boolean): Promise<void> {
  checkHandled(world)
  checkEffects(world)
  checkLeftOver(world)
  await checkBroker(world)
  await checkLog(world, voiding)
}

/** I1: an epoch has one holder, only its holder commits under it, and nothing commits under it once a higher one is minted. */
export function checkActivations({ kit, problems }: World): void {
  const { claims, commits } = kit.database
  const holders = new Map<string, string>()
  for (const { partition, epoch, holder } of claims) {
    const name = `${partition} e${epoch}`
    if (holders.has(name)) problems.push(`${name} was minted twice`)
    holders.set(name, holder)
  }
  const epochs = new Map<string, number>()
  commits.forEach(({ node, partition, epoch, actor }, index) => {
    if (holders.get(`${partition} e${epoch}`) !== node)
      problems.push(`${node} committed ${actor} under e${epoch}, which is not its`)
    const minted = claims.findLast((claim) => claim.partition === partition && claim.commits <= index)?.epoch ?? 0
    if (epoch < minted) problems.push(`${actor} committed under e${epoch} after e${minted} was minted`)
    if (epoch < (epochs.get(actor) ?? 0))
      problems.push(`${actor} committed under e${epoch} after e${epochs.get(actor)}`)
    epochs.set(actor, epoch)
  })
}

/** I2, I3, I13: what was accepted was handled once, in order, or is a dead letter. */
function checkHandled(world: World): void {
  const { kit, problems, clients } = world
  const states = kit.database.states
  const seen = new Map<string, string[]>()
  for (const [id, { value }] of states) {
    const state = value as { seen?: string[]; wrong?: string[] } | null
    if (state === null) continue
    for (const wrong of state.wrong ?? []) problems.push(`${id}: ${wrong}`)
    for (const command of state.seen ?? []) seen.set(command, [...(seen.get(command) ?? []), id])
  }
  const buried = new Map<string, number>()
  for (const letter of kit.database.letters.values()) {
    const { id } = decodeEnvelope(letter.payload)
    buried.set(id, (buried.get(id) ?? 0) + 1)
    if (!clients.some((client) => client.accepted.some((one) => one.id === id && one.what === 'poison')))
      problems.push(`${id} was buried: ${letter.code} ${letter.message}`)
  }
  for (const client of clients) {
    for (const wrong of client.wrong) problems.push(`${client.name}: ${wrong}`)
    for (const { id, to, what } of client.accepted) {
      const handled = seen.get(id)?.length ?? 0
      const letters = buried.get(id) ?? 0
      if (handled + letters !== 1 || (what === 'poison') !== (letters === 1))
        problems.push(`${id} (${what} to ${to}) was handled ${handled} times and buried ${letters} times`)
    }
    for (const { alarm, name } of client.alarms) {
      const { rung, pending } = states.get(`acme/alarm/${alarm}`)!.value as AlarmState
      const times = rung.filter((other) => other === name).length
      if (times !== 1 || pending.includes(name)) problems.push(`the alarm ${name} rang ${times} times`)
    }
  }
  for (const [id, { value }] of states) {
    if (!id.startsWith('acme/tally/')) continue
    const { puts } = value as TallyState
    const row = (kit.database.rows.get(`acme/puts/${id.slice(5)}`) as number | undefined) ?? 0
    if (row !== puts) problems.push(`${id} put ${puts} times, its row says ${row}`)
  }
  for (const [id, { value }] of states) {
    if (!id.startsWith('acme/courier/')) continue
    const sender = id.split('/').at(-1)!
    for (const [to, n] of Object.entries((value as CourierState).sent)) {
      const arrived = (states.get(`acme/tally/${to}`)?.value as TallyState | undefined)?.last[sender] ?? 0
      if (arrived !== n) problems.push(`${sender} sent ${n} to ${to}, ${arrived} arrived`)
    }
  }
}

/** I3, I4: an effect that may not be repeated is not; in doubt it is said to be; each job ends once. */
function checkEffects({ kit, problems, clients, outside }: World): void {
  const { effects, states } = kit.database
  const told = (states.get('acme/tally/t1')?.value as TallyState | undefined)?.last ?? {}
  for (const client of clients) {
    for (const { boss, job, mode, halted } of client.jobs) {
      const end = (states.get(`acme/boss/${boss}`)!.value as BossState).ended[job]
      const performed = outside.performed.get(job) ?? 0
      const row = effects.get(`acme/${job}.pay`)
      if (end === undefined) problems.push(`${job} never ended`)
      else if (end.startsWith('failed') || (end.startsWith('stopped') && !halted))
        problems.push(`${job} ended as ${end}`)
      if (mode !== 'idempotent' && performed > 1) problems.push(`${job} (${mode}) was performed ${performed} times`)
      if (end === 'done:done' && performed === 0) problems.push(`${job} says done and was never performed`)
      if (end === 'done:failed' && performed > 0 && mode === 'once')
        problems.push(`${job} says failed and was performed`)
      if (end?.startsWith('done:') && end.slice(5) !== row?.status && row?.status !== 'done')
        problems.push(`${job} ended as ${end}, its ledger says ${row?.status}`)
      if (row?.status === 'intended' && !end?.startsWith('stopped')) problems.push(`${job} is still in doubt`)
      if (end?.startsWith('done:') && told[job] !== 1) problems.push(`what ${job} told has not arrived`)
    }
  }
}

/** I11: when all sleeps nothing is kept. */
function checkLeftOver({ kit, problems, clients }: World): void {
  for (const [name, node] of kit.nodes) {
    const { activations, runs, calls } = node.census()
    if (activations + runs + calls > 0) problems.push(`${name} still keeps ${JSON.stringify(node.census())}`)
  }
  for (const client of clients)
    if (client.openCalls > 0) problems.push(`${client.name} still waits for ${client.openCalls} calls`)
}

async function checkBroker({ kit, problems }: World): Promise<void> {
  const observer = kit.broker.connect('observer')
  const consumers = await kit.clock.settle(observer.consumers(COMMANDS))
  const current = [...kit.database.epochs]
    .filter(([name]) => !name.startsWith('$'))
    .map(([name, { epoch }]) => `${name.replace('/', '-')}-e${epoch}`)
    .toSorted()
  if (JSON.stringify(consumers) !== JSON.stringify(current))
    problems.push(`consumers are ${consumers.join(' ')}, expected ${current.join(' ')}`)
}

interface Entry {
  readonly sequence: number
  readonly scope: string
  readonly event: LogEvent
  readonly counts: boolean
}

/** I1, I5, I12: what counts in the log is each actor's story, whole and told once, by one activation after the other. */
async function checkLog(world: World, voiding: boolean): Promise<void> {
  const { kit, problems } = world
  const entries = await readLog(world, 1, floorsOfForgotten(world), voiding)
  const spoken = new Map<string, number>()
  const numbers = new Map<string, number[]>()
  const ids = new Set<string>()
  for (const { event, counts, sequence } of entries) {
    if (!counts) continue
    if (event.epoch < (spoken.get(event.by) ?? 0))
      problems.push(`${event.type} of ${event.by} at ${sequence} is of e${event.epoch} after e${spoken.get(event.by)}`)
    spoken.set(event.by, event.epoch)
    const { n } = event.payload as { n?: number }
    if (n === undefined) continue
    const name = `${event.by} ${event.type}`
    ids.add(`${name} ${event.id}`)
    numbers.set(name, [...(numbers.get(name) ?? []), n])
  }
  // What stands only in a part of the log that is read no more (the shared log lost its tail after a move) was told.
  for (const { event, counts } of await readForgotten(world)) {
    const { n } = event.payload as { n?: number }
    const name = `${event.by} ${event.type}`
    if (!counts || n === undefined || ids.has(`${name} ${event.id}`)) continue
    numbers.set(name, [...(numbers.get(name) ?? []), n])
  }
  const expect = (name: string, count: number): void => {
    const said = numbers.get(name) ?? []
    const story = world.tailLost ? said.toSorted((a, b) => a - b) : said
    const whole = story.length === count && story.every((n, index) => n === index + 1)
    if (!whole) problems.push(`the log tells of ${name}: ${brief(story)}; expected 1..${count}`)
  }
  for (const [id, { value }] of kit.database.states) {
    const actor = id.slice(5)
    if (actor.startsWith('tally/')) {
      expect(`${actor} tally:added`, (value as TallyState).count)
      expect(`${actor} tally:bumped`, (value as TallyState).bumps)
    }
    if (actor.startsWith('boss/')) expect(`${actor} boss:ended`, Object.keys((value as BossState).ended).length)
  }
  if (entries.some(({ event }) => event.type === 'tally:refused')) problems.push('a refused handler was heard')
  if (voiding) await checkCursors(world, entries)
}

/** A reader that starts in the middle, with the floors of its cursor, sees what a reader of the whole sees from there. */
async function checkCursors(world: World, whole: readonly Entry[]): Promise<void> {
  const { kit, problems } = world
  const store = kit.database.connect('observer')
  for (let tries = 0; tries < 4; tries++) {
    const cursor = whole[Math.floor(world.random() * whole.length)]?.sequence ?? 0
    const floors = new Map<string, Floors>()
    for (const scope of new Set(whole.map((entry) => entry.scope))) {
      const known = await kit.clock.settle(store.floors('acme', scope, cursor))
      if (known.pending) problems.push(`an opening of ${scope} is pending for ever`)
      const mine = new Floors()
      for (const { who, epoch } of known.floors) mine.raise(who, epoch)
      floors.set(scope, mine)
    }
    const part = await readLog(world, cursor + 1, floors, true)
    const differ = part.find((entry, index) => {
      const same = whole[whole.length - part.length + index]
      return same?.sequence !== entry.sequence || same.counts !== entry.counts
    })
    if (differ !== undefined)
      problems.push(
        `from cursor ${cursor}, ${differ.event.type} of ${differ.event.by} at ${differ.sequence} counts ${differ.counts}`,
      )
  }
}

async function readLog(world: World, from: number, floors: Map<string, Floors>, voiding: boolean): Promise<Entry[]> {
  const log = world.kit.logOf('acme', world.kit.broker.connect('observer'))
  return await readEntries(world, log, { from, floors, voiding })
}

/** Where the log begins for its readers, when the part before its move is read no more. */
function forgotten({ kit }: World): LogPlace | null {
  const place = kit.database.places.get('acme')
  return place && place.shared !== kit.database.marks.get(EVENTS)?.incarnation ? place : null
}

function floorsOfForgotten(world: World): Map<string, Floors> {
  const floors = new Map<string, Floors>()
  const place = forgotten(world)
  for (const { scope, who, epoch, sequence } of world.kit.database.openings) {
    if (place === null || sequence === null || sequence > place.after) continue
    const mine = floors.get(scope) ?? new Floors()
    floors.set(scope, mine)
    mine.raise(who, epoch)
  }
  return floors
}

async function readForgotten(world: World): Promise<Entry[]> {
  const place = forgotten(world)
  if (place === null) return []
  const { shared } = new EventLog(world.kit.broker.connect('observer'), world.kit.clock)
  const entries = await readEntries(world, shared, { from: 1, floors: new Map(), voiding: true })
  return entries.filter(({ sequence }) => sequence <= place.after)
}

async function readEntries(
  { kit }: World,
  log: LogView,
  { from, floors, voiding }: { from: number; floors: Map<string, Floors>; voiding: boolean },
): Promise<Entry[]> {
  const entries: Entry[] = []
  const read = async (): Promise<void> => {
    for await (const stored of log.read({ filters: ['t.acme.ev.>'], from })) {
      const subject = parseSubject(stored.subject)
      if (subject.lane !== 'ev') continue
      const event = decodeEvent(stored.data)
      const mine = floors.get(subject.scope) ?? new Floors()
      floors.set(subject.scope, mine)
      const counts = mine.admit(event, subject.audience) || !voiding
      entries.push({ sequence: stored.sequence, scope: subject.scope, event, counts })
    }
  }
  await kit.clock.settle(read())
  return entries
}

function brief(numbers: readonly number[]): string {
  const wrong = numbers.flatMap((n, index) => (n === index + 1 ? [] : [`${n} at ${index + 1}`]))
  return `${numbers.length} numbers${wrong.length > 0 ? `, ${wrong.slice(0, 5).join(', ')}` : ''}`
}
