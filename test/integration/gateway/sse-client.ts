import { get } from 'node:http'
import type { ClientRequest, IncomingHttpHeaders } from 'node:http'

export interface SseEvent {
  readonly id: string
  readonly event: string
  readonly data: unknown
}

/** A reader of an event stream that keeps everything, comments included, and never comes again by itself. */
export class SseClient {
  readonly events: SseEvent[] = []
  readonly comments: string[] = []
  onEvent: (event: SseEvent) => void = () => {}
  status = 0
  headers: IncomingHttpHeaders = {}
  /** Resolves when the stream has ended in good order; rejects when it was cut. */
  readonly ended: Promise<void>
  readonly opened: Promise<void>
  #request: ClientRequest
  #text = ''
  #waiting: { fits: (event: SseEvent) => boolean; found: (event: SseEvent) => void }[] = []
  #listening: { count: number; heard: () => void }[] = []

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    const opened = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    this.opened = opened.promise
    this.ended = ended.promise
    this.ended.catch(() => {})
    this.#request = get(url, { headers, agent: false }, (response) => {
      this.status = response.statusCode ?? 0
      this.headers = response.headers
      opened.resolve()
      response.setEncoding('utf8')
      response.on('data', (text: string) => this.#take(text))
      response.on('end', () => ended.resolve())
      response.on('error', (error) => ended.reject(error))
    })
    this.#request.on('error', (error) => {
      opened.reject(error)
      ended.reject(error)
    })
  }

  until(fits: (event: SseEvent) => boolean): Promise<SseEvent> {
    const known = this.events.find(fits)
    if (known !== undefined) return Promise.resolve(known)
    return new Promise((resolve) => this.#waiting.push({ fits, found: resolve }))
  }

  /** Resolves when so many comments have come. */
  commented(count: number): Promise<void> {
    if (this.comments.length >= count) return Promise.resolve()
    return new Promise((heard) => this.#listening.push({ count, heard }))
  }

  /** The text of an answer that is no event stream. */
  get body(): string {
    return this.#text
  }

  close(): void {
    this.#request.destroy()
  }

  #take(text: string): void {
    this.#text += text
    for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
      const frame = this.#text.slice(0, end)
      this.#text = this.#text.slice(end + 2)
      const fields = new Map(
        frame.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      )
      if (fields.has('')) {
        this.comments.push(fields.get('')!)
        for (const { count, heard } of this.#listening) if (this.comments.length >= count) heard()
      }
      if (!fields.has('data')) continue
      const event = {
        id: fields.get('id') ?? '',
        event: fields.get('event') ?? 'message',
        data: JSON.parse(fields.get('data')!) as unknown,
      }
      this.events.push(event)
      this.onEvent(event)
      for (const { fits, found } of this.#waiting) if (fits(event)) found(event)
    }
  }
}
