import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { coded } from '#shared/errors/waggle-error.ts'
import { errorAnswer } from './errors.ts'
import type { ServerSent } from './route.ts'

export const EVENT_STREAM = 'text/event-stream'

/** An answer as it comes. What fails after its beginning is its last event, `error`. */
export async function sendEvents(reply: FastifyReply, events: AsyncIterable<ServerSent>): Promise<FastifyReply> {
  const source = events[Symbol.asyncIterator]()
  // What is refused before anything was said is an ordinary answer.
  const first = await source.next()
  const traceId = String(reply.getHeader('x-trace-id') ?? '')
  const frames = async function* (): AsyncGenerator<string> {
    try {
      for (let item = first; item.done !== true; item = await source.next()) yield frame(item.value)
    } catch (error) {
      yield frame({ event: 'error', data: errorAnswer(coded(error), traceId).body })
    }
  }
  void reply.headers({
    'content-type': `${EVENT_STREAM}; charset=utf-8`,
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  return await reply.send(Readable.from(frames()))
}

function frame({ event, data }: ServerSent): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
