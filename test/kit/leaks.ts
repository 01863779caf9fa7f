/**
 * Finds what a test leaves behind.
 *
 * Two nets. (1) A registry: whoever opens something that must be closed (a connection, a server, an actor system) calls
 * `hold(kind, name)` and calls the returned function when it is closed. What a test opened must be closed when the test
 * ends; what a suite's `before` opened, when the suite ends. (2) Node's own list of what keeps the event loop alive,
 * compared at the end of a suite with its beginning, for what nobody registered. Closing is often asynchronous a few
 * ticks longer than its promise says, so the comparison waits for SETTLE_MS at most.
 */
const SETTLE_MS = 1000
const SETTLE_STEP_MS = 10

/** What Node calls the resources that count. Files and pipes come and go with the runner itself. */
const WATCHED = [
  'Timeout',
  'TCPSocketWrap',
  'TCPServerWrap',
  'ProcessWrap',
  'MessagePort',
  'UDPWrap',
  'FSEventWrap',
] as const

interface Held {
  readonly kind: string
  readonly name: string
}

const held = new Set<Held>()

/** Registers something that must be closed. Call the result when it is; calling it twice is harmless. */
export function hold(kind: string, name: string): () => void {
  const entry: Held = { kind, name }
  held.add(entry)
  return () => {
    held.delete(entry)
  }
}

export interface Baseline {
  readonly held: ReadonlySet<unknown>
  readonly resources: ReadonlyMap<string, number>
}

export function baseline(): Baseline {
  return { held: new Set(held), resources: countResources() }
}

/** What was registered since `since` and is still open. Looks once: closing was the test's to await. */
export function leakedRegistrations(since: Baseline): string[] {
  return [...held].filter((entry) => !since.held.has(entry)).map((entry) => `${entry.kind} ${entry.name}`)
}

/** What keeps the event loop alive and did not at `since`. */
export async function leakedResources(since: Baseline): Promise<string[]> {
  const until = Date.now() + SETTLE_MS
  let grown = growth(since)
  while (grown.length > 0 && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_STEP_MS))
    grown = growth(since)
  }
  return grown
}

/** Forgets what leaked, so that it is reported once and not by every later test. */
export function forgetLeaks(since: Baseline): void {
  for (const entry of held) if (!since.held.has(entry)) held.delete(entry)
}

function growth(since: Baseline): string[] {
  const now = countResources()
  const grown: string[] = []
  for (const kind of WATCHED) {
    const more = (now.get(kind) ?? 0) - (since.resources.get(kind) ?? 0)
    if (more > 0) grown.push(`${more} ${kind}`)
  }
  return grown
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}
