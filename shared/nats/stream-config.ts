import type { StreamSpec } from '#shared/transport/port.ts'
import { ApiErrorCode, fromApiError } from './broker-error.ts'
import { nanos } from './js-api.ts'
import type { JetStreamApi } from './js-api.ts'

/** The part of a stream's configuration this adapter decides; what it does not name keeps the server's default. */
export interface StreamConfig {
  readonly name: string
  readonly subjects: readonly string[]
  readonly [setting: string]: unknown
}

export function streamConfig(spec: StreamSpec, replicas: number): StreamConfig {
  const work = spec.retention === 'work'
  return {
    name: spec.name,
    subjects: [...spec.subjects, ...(spec.exhaustedOf ?? []).map(exhaustedSubject)],
    retention: work ? 'workqueue' : 'limits',
    // A full stream of work refuses the new at its publisher (I13); a log lets go of the oldest.
    discard: work ? 'new' : 'old',
    storage: spec.memory ? 'memory' : 'file',
    num_replicas: spec.replicas ?? replicas,
    max_age: work ? 0 : nanos(spec.maxAgeMs ?? 0),
    max_msgs: spec.maxMessages ?? -1,
    max_bytes: spec.maxBytes ?? -1,
    max_msgs_per_subject: spec.maxPerSubject ?? -1,
    ...(spec.maxPerSubject === undefined ? {} : { discard_new_per_subject: work }),
    duplicate_window: nanos(spec.duplicateWindowMs),
    allow_direct: true,
    // The broker wants nobody to be answered by a stream of its own words.
    ...(spec.exhaustedOf === undefined ? {} : { no_ack: true }),
    ...(spec.live ? { republish: { src: '>', dest: 'live.>' } } : {}),
  }
}

function exhaustedSubject(stream: string): string {
  return `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${stream}.*`
}

/** Creates the stream, or brings the existing one to this configuration. Safe to do from many processes at once. */
export async function ensureStream(api: JetStreamApi, config: StreamConfig): Promise<void> {
  const created = await api.try(`STREAM.CREATE.${config.name}`, config)
  if (!created.error) return
  if (created.error.err_code !== ApiErrorCode.streamNameInUse)
    throw fromApiError(created.error, { stream: config.name })
  const { config: known } = await api.ask<{ config: Record<string, unknown> }>(`STREAM.INFO.${config.name}`)
  await api.ask(`STREAM.UPDATE.${config.name}`, { ...known, ...config })
}
