import { createReadStream } from 'node:fs'
import { openAsBlob } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { z } from 'zod'
import { Collection, DocumentSummary } from '#shared/contracts/knowledge.ts'
import type { Endpoint } from '../endpoint.ts'
import { request, send } from '../rest.ts'

export const Receipt = z.object({ documentId: z.string(), version: z.number(), duplicate: z.boolean() })
export type Receipt = z.infer<typeof Receipt>

/** Larger files go in parts, and are gone on with after a cut. */
const WHOLE_BYTES = 32 * 1024 * 1024
const UPLOAD_MS = 600_000
const PART_TRIES = 5

export interface Labels {
  readonly title?: string | undefined
  readonly tags?: readonly string[] | undefined
}

/** Gives a file to a collection; `onSent` hears how many of its bytes are there. */
export async function upload(
  endpoint: Endpoint,
  path: string,
  collection: string,
  { title, tags = [] }: Labels,
  onSent: (sent: number, of: number) => void,
): Promise<Receipt> {
  const { size } = await stat(path)
  onSent(0, size)
  if (size > WHOLE_BYTES) return await uploadInParts(endpoint, path, size, { collection, title, tags }, onSent)
  const form = new FormData()
  form.append('collection', collection)
  if (title !== undefined) form.append('title', title)
  if (tags.length > 0) form.append('tags', tags.join(','))
  form.append('file', await openAsBlob(path), basename(path))
  const receipt = await send(endpoint, 'documents', Receipt, { method: 'POST', body: form, timeoutMs: UPLOAD_MS })
  onSent(size, size)
  return receipt
}

const UploadState = z.object({ uploadId: z.string(), received: z.number(), partBytes: z.number() })

async function uploadInParts(
  endpoint: Endpoint,
  path: string,
  bytes: number,
  { collection, title, tags }: { collection: string; title: string | undefined; tags: readonly string[] },
  onSent: (sent: number, of: number) => void,
): Promise<Receipt> {
  const body = { collection, name: basename(path), bytes, ...(title === undefined ? {} : { title }), tags }
  const { uploadId, partBytes } = await request(endpoint, 'uploads', UploadState, { method: 'POST', body })
  for (let received = 0, tries = 0; received < bytes;) {
    try {
      const part = await readPart(path, received, Math.min(partBytes, bytes - received))
      const answer = await send(endpoint, `uploads/${uploadId}/parts/${received}`, z.object({ received: z.number() }), {
        method: 'PUT',
        body: part,
        contentType: 'application/octet-stream',
        timeoutMs: UPLOAD_MS,
      })
      received = answer.received
      tries = 0
    } catch (error) {
      tries += 1
      if (tries >= PART_TRIES) throw error
      // It may have arrived: what is there says where to go on.
      received = (await request(endpoint, `uploads/${uploadId}`, UploadState)).received
    }
    onSent(received, bytes)
  }
  return await request(endpoint, `uploads/${uploadId}/complete`, Receipt, { method: 'POST', body: {} })
}

async function readPart(path: string, start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Buffer[] = []
  for await (const piece of createReadStream(path, { start, end: start + length - 1 })) parts.push(piece as Buffer)
  return new Uint8Array(Buffer.concat(parts))
}

export async function addUrl(
  endpoint: Endpoint,
  url: string,
  collection: string,
  { title, tags = [] }: Labels,
): Promise<Receipt> {
  const body = { collection, url, ...(title === undefined ? {} : { title }), tags }
  return await request(endpoint, 'ingest/url', Receipt, { method: 'POST', body })
}

export function documentState(endpoint: Endpoint, id: string): Promise<DocumentSummary> {
  return request(endpoint, `documents/${encodeURIComponent(id)}`, DocumentSummary)
}

/** Makes the collection where there is none of this name. */
export async function ensureCollection(endpoint: Endpoint, name: string): Promise<void> {
  const { collections } = await request(endpoint, 'collections', z.object({ collections: z.array(Collection) }))
  if (collections.some(({ id }) => id === name)) return
  await send(endpoint, `collections/${name}`, z.object({ created: z.boolean() }), { method: 'PUT', json: {} })
}
