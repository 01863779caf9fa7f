import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { Reach } from '#shared/actor/ref.ts'
import type { Snapshot } from '#shared/contracts/client.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import type { Cancel, Clock } from '#shared/lib/clock.ts'
import type { Metrics } from '#shared/telemetry/metrics.ts'
import type { Session } from '#gateway/auth/authenticator.ts'
import type { Entry } from '#gateway/log/entry.ts'
import type { LogReader, Opening } from '#gateway/log/log-reader.ts'
import type { Sink } from '#gateway/log/sink.ts'
import { View } from '#gateway/log/view.ts'
import { takeSnapshot } from '#gateway/operations/messages.ts'

/** A comment this often keeps proxies from ending a silent stream; the session is looked at, too. */
export const HEARTBEAT_MS = 15_000
/** What a browser waits before it comes again. */
const RETRY_MS = 1_000
/** Bytes that wait in the response; beyond it the reader is put aside and catches up from the log. */
const BUDGET_BYTES = 1024 * 1024
/** Streams of one principal on one gateway. */
export const MAX_STREAMS_OF_PRINCIPAL = 200

export interface StreamRequest {
  readonly session: Session
  readonly reach: Reach
  readonly conversationId: string
  /** Cursor of the last entry seen. */
  readonly after: string | undefined
  readonly ops: boolean
}

interface Stream {
  readonly session: Session
  readonly raw: ServerResponse
  readonly opening: Opening
}

/**
 * The log of a conversation as server-sent events: `id` is the cursor, so a browser's own `Last-Event-ID` resumes it, on
 * any gateway, with nothing lost and nothing twice (I5). A `snapshot` event comes first where there is no good cursor,
 * `leaving` last when the gateway goes or the session is over. Owns the open streams, and one timer for all of them.
 */
export class EventStreams {
  readonly #reader: LogReader
  readonly #clock: Clock
  readonly #streams = new Set<Stream>()
  #beat: Cancel | null = null
  #closed = false

  constructor(parts: { readonly reader: LogReader; readonly metrics: Metrics; readonly clock: Clock }) {
    this.#reader = parts.reader
    this.#clock = parts.clock
    parts.metrics.measure('waggle_sse_streams', {}, () => this.#streams.size)
  }

  /** Takes the reply over. What it throws before that is an ordinary answer. */
  async open(reply: FastifyReply, request: StreamRequest): Promise<void> {
    const { session, conversationId, after, ops, reach } = request
    const { principal } = session
    if (this.#closed) throw refuse('OVERLOADED', { reason: 'This gateway is going away.' })
    let own = 0
    for (const stream of this.#streams) {
      if (stream.session.principal.tenant === principal.tenant && stream.session.principal.user === principal.user)
        own++
    }
    if (own >= MAX_STREAMS_OF_PRINCIPAL) throw refuse('RATE_LIMITED', { streams: own, limit: MAX_STREAMS_OF_PRINCIPAL })
    const { raw } = reply
    let stream: Stream | null = null
    const sink: Sink<Entry> = {
      entries: (batch) => void raw.write(batch.map(entryFrame).join('')),
      snapshot: (snapshot) => void raw.write(snapshotFrame(snapshot)),
      congested: () => raw.writableLength > BUDGET_BYTES,
      failed: () => stream !== null && this.#end(stream),
    }
    const common = {
      conversationId,
      after,
      takeSnapshot: () => takeSnapshot(reach, conversationId, ops),
      sink,
    }
    const opening = ops
      ? await this.#reader.open({ ...common, view: View.operator(principal) })
      : await this.#reader.open({ ...common, view: View.customer(principal) })
    // The client may have gone while it was opened: its end would never be heard of again.
    if (raw.destroyed) {
      opening.close()
      throw refuse('CANCELLED')
    }
    stream = { session, raw, opening }
    const opened = stream
    this.#streams.add(opened)
    raw.once('close', () => this.#forget(opened))
    reply.hijack()
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    raw.write(`retry: ${RETRY_MS}\n\n`)
    if (opening.snapshot !== null) raw.write(snapshotFrame(opening.snapshot))
    opening.start()
    this.#beat ??= this.#clock.setTimeout(() => void this.#heartbeat(), HEARTBEAT_MS)
  }

  /** Says goodbye to everybody and takes nobody more. */
  close(): void {
    this.#closed = true
    this.#beat?.()
    for (const stream of this.#streams) this.#end(stream)
  }

  async #heartbeat(): Promise<void> {
    for (const stream of this.#streams) {
      // When nobody can tell whether the session holds, the stream stays until somebody can.
      if (await stream.session.holds().catch(() => true)) stream.raw.write(': still here\n\n')
      else this.#end(stream)
    }
    this.#beat = null
    if (this.#streams.size > 0 && !this.#closed)
      this.#beat = this.#clock.setTimeout(() => void this.#heartbeat(), HEARTBEAT_MS)
  }

  #end(stream: Stream): void {
    this.#forget(stream)
    stream.raw.end('event: leaving\ndata: {}\n\n')
  }

  #forget(stream: Stream): void {
    if (!this.#streams.delete(stream)) return
    stream.opening.close()
    if (this.#streams.size > 0) return
    this.#beat?.()
    this.#beat = null
  }
}

function entryFrame(entry: Entry): string {
  return `id: ${entry.wire.cursor}\nevent: log\ndata: ${entry.json()}\n\n`
}

function snapshotFrame(snapshot: Snapshot): string {
  return `id: ${snapshot.cursor}\nevent: snapshot\ndata: ${JSON.stringify(snapshot)}\n\n`
}
