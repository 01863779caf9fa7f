import type { Api } from '../api.ts'

export interface Receipt {
  readonly documentId: string
  readonly version: number
  /** The same content was there before. */
  readonly duplicate: boolean
}

/** Larger files go in parts, and are gone on with after a cut. */
const WHOLE_BYTES = 32 * 1024 * 1024
const PART_TRIES = 5

/** Gives a file to a collection; `onSent` hears how many of its bytes are there. */
export async function sendFile(
  api: Api,
  collection: string,
  file: File,
  onSent: (bytes: number) => void,
): Promise<Receipt> {
  if (file.size > WHOLE_BYTES) return await sendInParts(api, collection, file, onSent)
  const form = new FormData()
  form.append('collection', collection)
  form.append('file', file, file.name)
  return await api<Receipt>('documents', { method: 'POST', body: form })
}

async function sendInParts(
  api: Api,
  collection: string,
  file: File,
  onSent: (bytes: number) => void,
): Promise<Receipt> {
  const { uploadId, partBytes } = await api<{ uploadId: string; partBytes: number }>('uploads', {
    method: 'POST',
    json: { collection, name: file.name, bytes: file.size, mime: file.type },
  })
  for (let received = 0, tries = 0; received < file.size;) {
    try {
      const body = file.slice(received, received + partBytes)
      const part = await api<{ received: number }>(`uploads/${uploadId}/parts/${received}`, { method: 'PUT', body })
      received = part.received
      tries = 0
    } catch (thrown) {
      tries += 1
      if (tries >= PART_TRIES) throw thrown
      // It may have arrived: what is there says where to go on.
      received = (await api<{ received: number }>(`uploads/${uploadId}`)).received
    }
    onSent(received)
  }
  return await api<Receipt>(`uploads/${uploadId}/complete`, { method: 'POST', json: {} })
}
