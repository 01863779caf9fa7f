import { headers as makeHeaders } from 'nats'
import type { Msg, NatsConnection } from 'nats'
import { checkBucketKey } from '#shared/transport/bucket-key.ts'
import type { Bucket, BucketEntry } from '#shared/transport/port.ts'
import { fromApiError, fromClientError } from './broker-error.ts'
import { nanos } from './js-api.ts'
import type { JetStreamApi } from './js-api.ts'
import type { ReplyMux } from './reply-mux.ts'
import { ensureStream } from './stream-config.ts'
import { directMessage } from './stored-message.ts'

const DUPLICATE_WINDOW_MAX_MS = 120_000
const decoder = new TextDecoder()
const NOTHING = new Uint8Array()

export interface BucketHost {
  readonly connection: NatsConnection
  readonly api: JetStreamApi
  readonly mux: ReplyMux
  readonly replicas: number
  readonly onError: (error: Error) => void
  onUp(listener: () => void): () => void
}

interface SubjectsPage {
  readonly state: { readonly subjects?: Record<string, number> }
}

/**
 * A key-value bucket in the layout that NATS tools know (stream `KV_<name>`, subjects `$KV.<name>.<key>`), without a
 * consumer: a read is one question for the subjects and one direct read for each, a watch is a plain subscription to
 * the republished changes, which carry their sequence. A gap in the sequences (a message lost in a reconnect) makes the
 * watcher read everything and tell what differs.
 */
export async function openBucket(host: BucketHost, name: string, ttlMs: number): Promise<Bucket> {
  const stream = `KV_${name}`
  const root = `$KV.${name}.`
  const config = {
    name: stream,
    subjects: [`${root}>`],
    max_msgs_per_subject: 1,
    max_age: nanos(ttlMs),
    duplicate_window: nanos(Math.min(ttlMs, DUPLICATE_WINDOW_MAX_MS)),
    discard: 'new',
    storage: 'file',
    num_replicas: host.replicas,
    allow_direct: true,
    allow_rollup_hdrs: true,
    deny_delete: true,
    republish: { src: '>', dest: 'live.>' },
  }
  await ensureStream(host.api, config)

  const write = async (key: string, value: Uint8Array, operation: 'PUT' | 'DEL'): Promise<number> => {
    checkBucketKey(key)
    const headers = makeHeaders()
    if (operation === 'DEL') headers.set('KV-Operation', 'DEL')
    const message = await host.mux.request(root + key, value, operation === 'DEL' ? headers : undefined)
    const answer = JSON.parse(decoder.decode(message.data)) as { seq: number; error?: { code: number } }
    if (answer.error) throw fromApiError(answer.error, { bucket: name, key })
    return answer.seq
  }

  const entries = async (): Promise<Map<string, BucketEntry>> => {
    const { state } = await host.api.ask<SubjectsPage>(`STREAM.INFO.${stream}`, { subjects_filter: `${root}>` })
    const found = new Map<string, BucketEntry>()
    await Promise.all(
      Object.keys(state.subjects ?? {}).map(async (subject) => {
        const message = await host.mux.request(host.api.subject(`DIRECT.GET.${stream}.${subject}`), NOTHING)
        const stored = directMessage(message)
        if (stored && !isDeletion(message)) {
          found.set(subject.slice(root.length), { value: stored.data, revision: stored.sequence })
        }
      }),
    )
    return found
  }

  return {
    put: (key, value) => write(key, value, 'PUT'),
    delete: async (key) => void (await write(key, NOTHING, 'DEL')),
    entries,
    watch: (handler) => watchBucket(host, { root, stream, entries }, handler),
  }
}

async function watchBucket(
  host: BucketHost,
  bucket: { readonly root: string; readonly stream: string; entries(): Promise<ReadonlyMap<string, BucketEntry>> },
  handler: (key: string, entry: BucketEntry | null) => void,
): Promise<() => void> {
  const known = new Map<string, number>()
  let last = 0
  let catchingUp: Promise<void> | null = null
  let active = true

  const tell = (key: string, entry: BucketEntry | null): void => {
    if (!active) return
    try {
      handler(key, entry)
    } catch (error) {
      host.onError(error instanceof Error ? error : new Error(String(error)))
    }
  }
  const change = (key: string, entry: BucketEntry | null): void => {
    if (entry && (known.get(key) ?? 0) >= entry.revision) return
    if (entry) known.set(key, entry.revision)
    else known.delete(key)
    tell(key, entry)
  }
  const catchUp = async (): Promise<void> => {
    const now = await bucket.entries()
    for (const [key, entry] of now) change(key, entry)
    for (const key of known.keys()) if (!now.has(key)) change(key, null)
  }
  const recover = (): void => {
    catchingUp ??= catchUp()
      .catch((error: unknown) => host.onError(fromClientError(error)))
      .finally(() => void (catchingUp = null))
  }

  const subscription = host.connection.subscribe(`live.${bucket.root}>`, {
    callback: (_, message) => {
      const sequence = Number(message.headers?.get('Nats-Sequence'))
      const key = message.subject.slice('live.'.length + bucket.root.length)
      if (last > 0 && sequence > last + 1) recover()
      last = sequence
      change(key, isDeletion(message) ? null : { value: message.data, revision: sequence })
    },
  })
  const stopListening = host.onUp(recover)
  // What is there already is known and not told; the subscription stands before it is read.
  await host.connection.flush()
  for (const [key, { revision }] of await bucket.entries()) {
    if ((known.get(key) ?? 0) < revision) known.set(key, revision)
    last = Math.max(last, revision)
  }
  return () => {
    active = false
    stopListening()
    if (!host.connection.isClosed()) subscription.unsubscribe()
  }
}

function isDeletion(message: Msg): boolean {
  const operation = message.headers?.get('KV-Operation')
  return operation === 'DEL' || operation === 'PURGE'
}
