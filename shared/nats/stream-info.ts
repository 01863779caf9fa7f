import type { StreamInfo } from '#shared/transport/port.ts'
import type { JetStreamApi } from './js-api.ts'

interface InfoPage {
  readonly created: string
  readonly total?: number
  readonly config: { readonly retention: string }
  readonly state: {
    readonly first_seq: number
    readonly last_seq: number
    readonly messages: number
    readonly subjects?: Record<string, number>
  }
}

/** The broker lists the subjects in pages (100,000 each). */
export async function readStreamInfo(
  api: JetStreamApi,
  stream: string,
  filter?: string,
): Promise<StreamInfo & { readonly retention: string }> {
  const subjects = new Map<string, number>()
  for (;;) {
    const question = filter === undefined ? undefined : { subjects_filter: filter, offset: subjects.size }
    const { created, config, total = 0, state } = await api.ask<InfoPage>(`STREAM.INFO.${stream}`, question)
    const page = Object.entries(state.subjects ?? {})
    for (const [subject, count] of page) subjects.set(subject, count)
    if (page.length === 0 || subjects.size >= total) {
      return {
        retention: config.retention,
        created: Date.parse(created),
        firstSequence: state.first_seq,
        lastSequence: state.last_seq,
        messages: state.messages,
        subjects,
      }
    }
  }
}
