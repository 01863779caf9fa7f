import type { Truth, TrueEntry } from './truth.ts'

interface Said {
  readonly id: string
  readonly parentId: string
  readonly turnId: string
  readonly messageId: string
}

export interface TurnRules {
  /** A fact that was lost and said again may stand behind younger ones, and twice (the log lost its tail meanwhile). */
  readonly afterLostTail?: boolean
}

/**
 * Nothing accepted is lost (each message is in the log, and its turn ended), nothing is done twice, order per key (turns
 * end in the order of their messages, and messages stand in the order of their acceptance), one voice.
 */
export function checkTurns(
  truth: Truth,
  accepted: ReadonlyMap<string, readonly string[]>,
  { afterLostTail = false }: TurnRules = {},
): string[] {
  const problems: string[] = []
  for (const [conversation, ids] of accepted) {
    const all = truth.conversations.get(conversation) ?? []
    const entries = afterLostTail ? firstOfEach(all) : all
    const { received, ended, completed, turnOf } = summary(entries, afterLostTail)
    const say = (problem: string): void => void problems.push(`${conversation}: ${problem}`)
    for (const [list, what] of [
      [received, 'received'],
      [ended, 'ended'],
      [completed, 'answered'],
    ] as const)
      for (const id of twice(list)) say(`${id} was ${what} twice`)
    for (const id of ids) {
      if (!received.includes(id)) say(`${id} was accepted and is not in the log`)
      else if (!ended.includes(id)) say(`${id} was accepted and its turn has not ended`)
    }
    if (!afterLostTail) {
      const known = new Set(ids)
      if (String(received.filter((id) => known.has(id))) !== String(ids.filter((id) => received.includes(id))))
        say('messages stand in another order than they were accepted in')
      if (String(ended) !== String(received.filter((id) => ended.includes(id))))
        say('turns ended in another order than their messages came')
      for (const problem of voices(entries, turnOf)) say(problem)
    }
  }
  return problems
}

function summary(
  entries: readonly TrueEntry[],
  afterLostTail: boolean,
): {
  received: string[]
  ended: string[]
  completed: string[]
  turnOf: Map<string, string>
} {
  const received: string[] = []
  const ended: string[] = []
  const completed: string[] = []
  const turnOf = new Map<string, string>()
  // Said again, the start of a turn may stand behind its end.
  if (afterLostTail)
    for (const { event } of entries)
      if (event.type === 'turn:started') turnOf.set((event.payload as Said).turnId, (event.payload as Said).messageId)
  for (const { event } of entries) {
    const said = event.payload as Said
    if (event.type === 'message:received') received.push(said.id)
    else if (event.type === 'turn:started') turnOf.set(said.turnId, said.messageId)
    else if (event.type === 'turn:ended') ended.push(turnOf.get(said.turnId) ?? `turn ${said.turnId} that never began`)
    else if (event.type === 'message:completed') completed.push(said.parentId)
  }
  return { received, ended, completed, turnOf }
}

/** One voice: the text of a message comes from one actor, and none of it after the message or its turn is over. */
function voices(entries: readonly TrueEntry[], turnOf: ReadonlyMap<string, string>): string[] {
  const problems: string[] = []
  const speakers = new Map<string, string>()
  const turns = new Map<string, string>()
  const over = new Set<string>()
  for (const { event } of entries) {
    const said = event.payload as Said
    if (event.type === 'agent:speaking') turns.set(said.turnId, said.messageId)
    else if (event.type === 'message:completed' && said.parentId !== null) over.add(said.id)
    else if (event.type === 'turn:ended' && turnOf.has(said.turnId)) over.add(turns.get(said.turnId) ?? '')
    else if (event.type === 'text:delta') {
      const speaker = speakers.get(said.messageId) ?? event.by
      speakers.set(said.messageId, speaker)
      if (speaker !== event.by) problems.push(`${said.messageId} is spoken by ${speaker} and ${event.by}`)
      if (over.has(said.messageId))
        problems.push(`${said.messageId} was over and ${event.by} went on (e${event.epoch})`)
    }
  }
  return [...new Set(problems)]
}

function firstOfEach(entries: readonly TrueEntry[]): readonly TrueEntry[] {
  const seen = new Set<string>()
  return entries.filter(({ event }) => !seen.has(event.id) && seen.add(event.id))
}

export function twice(list: readonly string[]): string[] {
  const seen = new Set<string>()
  return list.filter((item) => seen.has(item) || !seen.add(item))
}
