import { openTurns } from '#gateway/client/conversation-state.ts'
import { parseCursor } from '#shared/wire/cursor.ts'
import type { Viewer } from '../load/viewers.ts'
import type { Truth, TrueEntry } from './truth.ts'

const DELTA = 'text:delta'

/**
 * Cursors are gapless: within a stretch without a snapshot a reader was given every public fact of the log that counts,
 * once, in its order; at the end every reader has the same conversation, in which nothing that is over is at work. (Of deltas a reader that fell behind may be
 * spared those of finished messages; the text it ends with is compared instead.)
 *
 * @param incarnation of the log as it is now; stretches of an earlier one cannot be compared with it
 */
export function checkReaders(truth: Truth, viewers: readonly Viewer[], incarnation?: string): string[] {
  const problems: string[] = []
  for (const viewer of viewers) {
    const say = (problem: string): void => void problems.push(`${viewer.name}: ${problem}`)
    const { id } = viewer.conversation
    const entries = (truth.conversations.get(id) ?? []).filter(({ audience }) => audience === 'pub')
    viewer.stretches.forEach(({ after, entries: given }, index) => {
      const last = given.at(-1)
      const end = last === undefined ? null : parseCursor(last.cursor)
      if (end === null || (incarnation !== undefined && end.incarnation !== incarnation)) return
      const start = after === null ? 0 : (parseCursor(after)?.sequence ?? 0)
      const open = index === viewer.stretches.length - 1
      const expected = facts(entries, start, open ? Infinity : end.sequence)
      const got = given
        .filter(({ type }) => type !== DELTA)
        .map((entry) => `${parseCursor(entry.cursor)!.sequence} ${entry.id}`)
      if (String(got) !== String(expected)) say(difference(got, expected))
    })
    const { state } = viewer.conversation.latest
    const { messages } = state
    const ended = entries.flatMap(({ event }) =>
      event.type === 'turn:ended' ? [(event.payload as { turnId: string }).turnId] : [],
    )
    for (const { turnId } of openTurns(state))
      if (ended.includes(turnId)) say(`turn ${turnId} is shown as being at work`)
    const texts = new Map<string, string>()
    for (const { event } of entries) {
      if (event.type !== 'message:received' && event.type !== 'message:completed') continue
      const fact = event.payload as { id: string; text: string }
      texts.set(fact.id, fact.text)
    }
    for (const [message, text] of texts) {
      const shown = messages.find((one) => one.id === message)
      if (shown === undefined) say(`${message} is not shown`)
      else if (shown.text !== text) say(`${message} shows another text than the log has`)
    }
    for (const { id: message, status } of messages)
      if (!texts.has(message) && status !== 'cut' && status !== 'retracted')
        say(`${message} is shown and not in the log`)
  }
  return problems
}

function facts(entries: readonly TrueEntry[], after: number, upTo: number): string[] {
  return entries
    .filter(({ sequence, event }) => sequence > after && sequence <= upTo && event.type !== DELTA)
    .map(({ sequence, event }) => `${sequence} ${event.id}`)
}

function difference(got: readonly string[], expected: readonly string[]): string {
  const missing = expected.filter((entry) => !got.includes(entry))
  const foreign = got.filter((entry) => !expected.includes(entry))
  const doubled = got.length - new Set(got).size
  const order = missing.length + foreign.length + doubled === 0 ? ', in another order' : ''
  return `was given ${got.length} facts of ${expected.length}: ${missing.length} missing (${missing.slice(0, 3).join(', ')}), ${foreign.length} that do not count (${foreign.slice(0, 3).join(', ')}), ${doubled} twice${order}`
}
