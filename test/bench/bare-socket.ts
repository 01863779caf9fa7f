import { connect } from 'node:net'
import type { Socket } from 'node:net'

/**
 * As little of a Socket.IO client as can be: a WebSocket that answers pings, sends events and counts the entries of the
 * log it is sent, without reading them. So a figure about servers is not one about clients.
 */
export class BareSocket {
  readonly #socket: Socket
  readonly #acks = new Map<number, (answer: unknown) => void>()
  readonly #ready = Promise.withResolvers<void>()
  #rest: Buffer = Buffer.alloc(0)
  #upgraded = false
  #asked = 0
  /** Entries that came. */
  entries = 0
  onEntries: () => void = () => {}

  private constructor(url: string, auth: object) {
    const { hostname, port, host } = new URL(url)
    this.#socket = connect(Number(port), hostname)
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk, auth))
    this.#socket.once('error', (error) => this.#ready.reject(error))
    this.#socket.once('close', () => this.#ready.reject(new Error('the server ended the connection')))
    this.#socket.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    )
  }

  static async open(url: string, auth: object): Promise<BareSocket> {
    const socket = new BareSocket(url, auth)
    await socket.#ready.promise
    return socket
  }

  /** Emits an event; resolves with its acknowledgement. */
  request(name: string, input: object): Promise<unknown> {
    const id = this.#asked++
    return new Promise((resolve) => {
      this.#acks.set(id, resolve)
      this.#send(`42${id}${JSON.stringify([name, input])}`)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer, auth: object): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    if (!this.#upgraded) {
      const end = data.indexOf('\r\n\r\n')
      if (end === -1) return void (this.#rest = data)
      this.#upgraded = true
      data = data.subarray(end + 4)
    }
    for (;;) {
      const frame = frameOf(data)
      if (frame === null) break
      this.#hear(data.subarray(frame.start, frame.end), auth)
      data = data.subarray(frame.end)
    }
    this.#rest = data
  }

  #hear(text: Buffer, auth: object): void {
    const kind = text[0]
    if (kind === OPEN) this.#send(`40${JSON.stringify(auth)}`)
    else if (kind === PING) this.#send('3')
    else if (kind !== MESSAGE) return
    else if (text[1] === CONNECT) this.#ready.resolve()
    else if (text[1] === ERROR) this.#ready.reject(new Error(text.toString()))
    else if (text[1] === ACK) {
      const said = text.toString()
      const begin = said.indexOf('[')
      const id = Number(said.slice(2, begin))
      this.#acks.get(id)?.((JSON.parse(said.slice(begin)) as unknown[])[0])
      this.#acks.delete(id)
    } else if (text[1] === EVENT) {
      for (let at = text.indexOf(CURSOR); at !== -1; at = text.indexOf(CURSOR, at + CURSOR.length)) this.entries++
      this.onEntries()
    }
  }

  #send(text: string): void {
    const payload = Buffer.from(text)
    const short = payload.length < 126
    const head = Buffer.alloc(short ? 6 : 8)
    head[0] = 0x81
    head[1] = 0x80 | (short ? payload.length : 126)
    if (!short) head.writeUInt16BE(payload.length, 2)
    // The mask is zero: the bytes stay as they are.
    this.#socket.write(Buffer.concat([head, payload]))
  }
}

/** Where the first frame's payload lies; null when it is not whole. A server does not mask. */
function frameOf(data: Buffer): { readonly start: number; readonly end: number } | null {
  if (data.length < 2) return null
  const short = data[1]! & 0x7f
  const start = short < 126 ? 2 : short === 126 ? 4 : 10
  if (data.length < start) return null
  const length = short < 126 ? short : short === 126 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2))
  return data.length < start + length ? null : { start, end: start + length }
}

const OPEN = 0x30
const PING = 0x32
const MESSAGE = 0x34
const CONNECT = 0x30
const EVENT = 0x32
const ACK = 0x33
const ERROR = 0x34
const CURSOR = '"cursor":"'
