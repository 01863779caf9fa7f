import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const HANDBOOK = join(import.meta.dirname, 'handbook')
/** The collection that the demo's agents answer from. */
export const HANDBOOK_COLLECTION = 'handbook'
const LOOK_MS = 100
const READY_MS = 60_000

interface Document {
  readonly id: string
  readonly state: string
  readonly error: { readonly code: string } | null
}

/**
 * Gives the demo shop's handbook over the API, as its admin would, and waits until it can be found. What is there
 * already is not taken twice. Returns how many documents there are.
 */
export async function giveHandbook(url: string, token: string): Promise<number> {
  const call = async <Answer>(method: string, path: string, body?: FormData | string): Promise<Answer> => {
    const response = await fetch(`${url}/api/v1/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
      },
      ...(body === undefined ? {} : { body }),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as Answer
  }
  const files = (await readdir(HANDBOOK)).filter((name) => name.endsWith('.md')).toSorted()
  await call('PUT', `collections/${HANDBOOK_COLLECTION}`, JSON.stringify({ title: 'The shop’s handbook' }))
  const given = await Promise.all(
    files.map(async (name) => {
      const form = new FormData()
      form.append('collection', HANDBOOK_COLLECTION)
      form.append('file', new Blob([await readFile(join(HANDBOOK, name))], { type: 'text/markdown' }), name)
      return await call<{ documentId: string }>('POST', 'documents', form)
    }),
  )
  for (const until = performance.now() + READY_MS; ; await delay(LOOK_MS)) {
    const documents = await Promise.all(given.map(({ documentId }) => call<Document>('GET', `documents/${documentId}`)))
    if (documents.every(({ state }) => state === 'ready')) return documents.length
    const failed = documents.find(({ state }) => state === 'failed')
    if (failed !== undefined) throw new Error(`a page of the handbook could not be read: ${failed.error?.code}`)
    if (performance.now() > until) throw new Error(`the handbook is not read within ${READY_MS} ms`)
  }
}
