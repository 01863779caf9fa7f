import { readConfig } from '#shared/config/config.ts'
import { masterKey } from '#shared/db/envelope.ts'
import { Secrets } from '#shared/db/secrets.ts'
import { hostKnowledge } from '#services/knowledge/main.ts'
import type { DocumentSummary } from '#shared/contracts/knowledge.ts'
import { DocumentSummary as DocumentSchema } from '#shared/contracts/knowledge.ts'
import type { OpenGateway } from './open-gateway.ts'
import type { HostedNode } from './swarm.ts'

const SECRET = 'a secret of more than sixteen characters'

/** The knowledge role on a node of a test swarm. `allow` names hosts that may be read though they are not public. */
export function withKnowledge(allow: readonly string[] = []): (node: HostedNode) => Promise<() => Promise<void>> {
  return async ({ system, database, transport }) => {
    const config = readConfig({})
    const secrets = new Secrets([masterKey('main', SECRET)])
    const { close } = await hostKnowledge({ system, database, transport, secrets, config }, { allow })
    return close
  }
}

/** A person of a tenant at the REST interface. */
export class KnowledgeClient {
  readonly #url: string
  readonly #token: string

  constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  static async of(
    gateway: OpenGateway,
    user = 'olga',
    roles: readonly string[] = ['operator'],
  ): Promise<KnowledgeClient> {
    return new KnowledgeClient(gateway.url, await gateway.token(user, roles))
  }

  /** Throws the code of what is refused. */
  async call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const form = body instanceof FormData
    const bytes = body instanceof Uint8Array
    const response = await fetch(`${this.#url}/api/v1/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined || form
          ? {}
          : { 'content-type': bytes ? 'application/octet-stream' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: form || bytes ? (body as FormData) : JSON.stringify(body) }),
    })
    const answer = (await response.json()) as Answer & { error?: { code: string } }
    if (!response.ok) throw Object.assign(new Error(JSON.stringify(answer)), { code: answer.error?.code })
    return answer
  }

  async stream(path: string, body: unknown): Promise<{ event: string; data: unknown }[]> {
    const response = await fetch(`${this.#url}/api/v1/${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.#token}`,
        'content-type': 'application/json',
        accept: 'text/event-stream',
      },
      body: JSON.stringify(body),
    })
    return (await response.text())
      .split('\n\n')
      .filter((frame) => frame !== '')
      .map((frame) => {
        const [event = '', data = ''] = frame.split('\n')
        return { event: event.slice('event: '.length), data: JSON.parse(data.slice('data: '.length)) as unknown }
      })
  }

  collection(name: string, settings: Record<string, unknown> = {}): Promise<{ created: boolean }> {
    return this.call('PUT', `collections/${name}`, { settings })
  }

  async give(
    collection: string,
    name: string,
    content: string | Uint8Array,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<{ documentId: string; version: number; duplicate: boolean }> {
    const form = new FormData()
    form.append('collection', collection)
    for (const [field, value] of Object.entries(fields)) form.append(field, value)
    form.append('file', new Blob([content as string]), name)
    return await this.call('POST', 'documents', form)
  }

  /** Gives a document and waits until its version has come to an end. */
  async ingest(...args: Parameters<KnowledgeClient['give']>): Promise<DocumentSummary> {
    const { documentId, version } = await this.give(...args)
    return await this.settled(documentId, version)
  }

  async settled(id: string, version = 1, withinMs = 60_000): Promise<DocumentSummary> {
    for (const until = performance.now() + withinMs; ;) {
      const document = DocumentSchema.parse(await this.call('GET', `documents/${id}`))
      if (document.version >= version && ENDS.has(document.state)) return document
      if (performance.now() > until) throw new Error(`${id} is ${document.state} after ${withinMs} ms`)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }
}

const ENDS = new Set(['ready', 'failed', 'cancelled'])
const LOOK_MS = 25
