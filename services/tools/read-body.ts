import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { toolFailure } from './failure.ts'

/**
 * The body as text, at most `maxBytes` of it after decompression: what is larger is refused while it is still coming,
 * so that neither an endless answer nor a few bytes that unfold to gigabytes are ever held.
 */
export async function readBody(body: Readable, encoding: string, maxBytes: number): Promise<string> {
  const decoder = decoderOf(encoding)
  const source = decoder === null ? body : body.pipe(decoder)
  const failed = new Promise<never>((_resolve, reject) => void body.once('error', reject))
  failed.catch(() => {})
  const chunks: Buffer[] = []
  let size = 0
  const read = async (): Promise<void> => {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      size += chunk.byteLength
      if (size > maxBytes)
        throw toolFailure('TOO_LARGE', 'unknown', `The answer is larger than ${maxBytes} bytes.`, { limit: maxBytes })
      chunks.push(chunk)
    }
  }
  try {
    await Promise.race([read(), failed])
  } finally {
    body.destroy()
    decoder?.destroy()
  }
  return new TextDecoder('utf-8').decode(Buffer.concat(chunks))
}

/** None is asked for; some servers compress nevertheless. */
function decoderOf(encoding: string): ReturnType<typeof createGunzip> | null {
  switch (encoding.trim().toLowerCase()) {
    case '':
    case 'identity':
      return null
    case 'gzip':
    case 'x-gzip':
      return createGunzip()
    case 'deflate':
      return createInflate()
    case 'br':
      return createBrotliDecompress()
    default:
      throw toolFailure('TOOL_FAILED', 'unknown', 'The answer is packed in a way that is not understood.')
  }
}
