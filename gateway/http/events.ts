import type { FastifyReply, FastifyRequest } from 'fastify'
import { Supervisor } from '#shared/contracts/supervisor.ts'
import type { Reach } from '#shared/actor/ref.ts'
import type { Snapshot } from '#shared/contracts/client.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import type { Entry } from '#gateway/log/entry.ts'
import type { LogReader, Opening } from '#gateway/log/log-reader.ts'
import { View } from '#gateway/log/view.ts'

/** A comment this often keeps proxies from ending a silent stream. */
const HEARTBEAT_MS = 15_000
const RETRY_MS = 1_000
/** Bytes that wait in the response; beyond it the reader catches up later. */
const BUDGET_BYTES = 1024 * 1024

/**
 * The log of a conversation as server-sent events: `id` is the cursor, so a browser's own `Last-Event-ID` resumes it, on
 * any gateway, with nothing lost and nothing twice (I5). A `snapshot` event comes first where there is no good cursor.
 */
export async function streamEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: {
    readonly reader: LogReader
    readonly reach: Reach
    readonly principal: Principal
    readonly conversationId: string
    readonly after: string | undefined
    readonly ops: boolean
  },
): Promise<void> {
  const { reader, reach, principal, conversationId, after, ops } = parts
  const takeSnapshot = (): Promise<Omit<Snapshot, 'cursor'>> =>
    reach.ref(Supervisor, conversationId).ask('snapshot', {})
  if (after !== undefined) await takeSnapshot()
  const { raw } = reply
  const sink = {
    entries: (batch: readonly Entry[]) =>
      void raw.write(batch.map((entry) => `id: ${entry.wire.cursor}\nevent: log\ndata: ${entry.json()}\n\n`).join('')),
    snapshot: (snapshot: Snapshot) => void raw.write(snapshotFrame(snapshot)),
    congested: () => raw.writableLength > BUDGET_BYTES,
    failed: () => void raw.end(),
  }
  const common = { conversationId, after, takeSnapshot, sink }
  const opening: Opening = ops
    ? await reader.open({ ...common, view: View.operator(principal) })
    : await reader.open({ ...common, view: View.customer(principal) })
  reply.hijack()
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  raw.write(`retry: ${RETRY_MS}\n\n`)
  if (opening.snapshot !== null) raw.write(snapshotFrame(opening.snapshot))
  const heartbeat = setInterval(() => void raw.write(': still here\n\n'), HEARTBEAT_MS)
  request.raw.once('close', () => {
    clearInterval(heartbeat)
    opening.close()
  })
  opening.start()
}

function snapshotFrame(snapshot: Snapshot): string {
  return `id: ${snapshot.cursor}\nevent: snapshot\ndata: ${JSON.stringify(snapshot)}\n\n`
}
