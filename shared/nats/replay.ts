import { WaggleError } from '#shared/errors/waggle-error.ts'
import { subjectMatches } from '#shared/transport/subject-match.ts'
import type { StoredMessage } from '#shared/transport/port.ts'
import { DirectSource, PullSource } from './replay-source.ts'
import type { ReplayHost, ReplaySource } from './replay-source.ts'
import { readStreamInfo } from './stream-info.ts'

export interface ReplayOptions {
  readonly filters: readonly string[]
  readonly from: number
  readonly signal?: AbortSignal
}

/**
 * Reads a stream from a sequence to the tail that stands when the reading begins, in stream order. What it yields is a
 * prefix without holes: filters that need a reader of their own are merged by sequence up to one common tail (each
 * reader alone would end where it happened to be made).
 */
export async function* replay(host: ReplayHost, stream: string, options: ReplayOptions): AsyncGenerator<StoredMessage> {
  const { from, signal } = options
  const filters = coverFilters(options.filters)
  const { retention, lastSequence } = await readStreamInfo(host.api, stream)
  if (from > lastSequence) return
  const sources = filters.map((filter): ReplaySource => {
    const range = { stream, filter, from, to: lastSequence }
    // A work queue admits no reader but its consumers.
    return retention === 'workqueue' ? new DirectSource(host, range) : new PullSource(host, range)
  })
  try {
    const heads = await Promise.all(sources.map((source) => source.next()))
    let last = 0
    for (;;) {
      let first = -1
      for (const [index, head] of heads.entries()) {
        if (head && (first < 0 || head.sequence < heads[first]!.sequence)) first = index
      }
      const head = heads[first]
      if (!head) return
      if (signal?.aborted) throw new WaggleError('CANCELLED', { stream })
      // The same message twice: filters may overlap.
      const fresh = head.sequence > last
      if (fresh && options.filters.some((filter) => subjectMatches(filter, head.subject))) yield head
      last = head.sequence
      heads[first] = await sources[first]!.next()
    }
  } finally {
    for (const source of sources) source.close()
  }
}

/**
 * The oldest supported broker takes one filter for each consumer. Filters that differ in their last token only (the
 * audiences of one scope) are read through one wildcard and checked here; others are read apart.
 */
export function coverFilters(filters: readonly string[]): string[] {
  const groups = new Map<string, Set<string>>()
  for (const filter of new Set(filters)) {
    const cut = filter.lastIndexOf('.')
    const stem = filter.slice(0, cut + 1)
    const group = groups.get(stem) ?? new Set<string>()
    groups.set(stem, group.add(filter.slice(cut + 1)))
  }
  return [...groups].flatMap(([stem, lasts]) => {
    if (lasts.has('>')) return [`${stem}>`]
    return lasts.size === 1 ? [...lasts].map((last) => stem + last) : [`${stem}*`]
  })
}
