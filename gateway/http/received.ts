import fastifyMultipart from '@fastify/multipart'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { parse } from '#shared/actor/schema.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import type { Clock } from '#shared/lib/clock.ts'
import type { Received, Route } from './route.ts'

/** A request that has not come in whole by then is cut: nobody may hold a connection by sending slowly. */
const RECEIVE_MS = 30_000
/** The same for a file. What takes longer is sent in parts, which can be gone on with (`/uploads`). */
export const UPLOAD_MS = 600_000
/** A file in one request. */
export const MAX_FILE_BYTES = 100 * 1024 * 1024
const MAX_FIELD_BYTES = 64 * 1024
const MAX_FIELDS = 20
const BYTES = 'application/octet-stream'
const FORM = 'multipart/form-data'

/** Bodies that are read as they come, and the time that every other one has. */
export function addReceiving(app: FastifyInstance, clock: Clock): void {
  void app.register(fastifyMultipart, {
    limits: {
      files: 1,
      fields: MAX_FIELDS,
      fieldSize: MAX_FIELD_BYTES,
      fileSize: MAX_FILE_BYTES,
      parts: MAX_FIELDS + 1,
    },
  })
  app.addContentTypeParser(BYTES, (_request, payload, done) => done(null, payload))
  app.addHook('onRequest', async (request, reply) => {
    const type = request.headers['content-type'] ?? ''
    if (request.raw.complete || type.startsWith(FORM) || type.startsWith(BYTES)) return
    const stop = clock.setTimeout(() => void (request.raw.complete || request.raw.destroy()), RECEIVE_MS)
    // One of them comes, whoever ends it and however.
    request.raw.once('end', stop).once('close', stop)
    reply.raw.once('close', stop)
  })
}

export async function receivedOf(route: Route, request: FastifyRequest): Promise<Received | null> {
  const { receives } = route
  if (receives === undefined) return null
  switch (receives) {
    case 'bytes':
      if (request.headers['content-type'] !== BYTES) throw refuse('BAD_INPUT', { reason: `The body must be ${BYTES}.` })
      return { name: '', mime: '', content: request.body as AsyncIterable<Uint8Array>, fields: () => ({}) }
    case 'form':
      return await formOf(route, request)
  }
}

async function formOf(route: Route, request: FastifyRequest): Promise<Received> {
  if (!request.isMultipart()) throw refuse('BAD_INPUT', { reason: `The body must be ${FORM} with a file.` })
  const file = await request.file()
  if (file === undefined) throw refuse('BAD_INPUT', { reason: 'The form holds no file.' })
  const content = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of file.file as AsyncIterable<Uint8Array>) yield piece
    if (file.file.truncated)
      throw refuse('TOO_LARGE', { limit: MAX_FILE_BYTES, reason: 'Send a file of this size in parts.' })
  }
  return {
    name: file.filename,
    mime: file.mimetype,
    content: content(),
    fields: () => {
      const given = Object.entries(file.fields).flatMap(([name, field]) => {
        const one = Array.isArray(field) ? field[0] : field
        return one?.type === 'field' ? [[name, one.value] as const] : []
      })
      return route.body === undefined ? {} : parse(route.body, Object.fromEntries(given))
    },
  }
}
