/** One message or control line of the NATS client protocol, as it is on the wire. */
export interface Frame {
  readonly verb: string
  /** Empty on control lines. */
  readonly subject: string
  readonly reply: string
  readonly bytes: Buffer
}

const CRLF = '\r\n'
const PAYLOADS: ReadonlySet<string> = new Set(['MSG', 'HMSG', 'PUB', 'HPUB'])

/** Cuts a stream of bytes into frames; keeps what is not whole yet. */
export class FrameReader {
  #rest = Buffer.alloc(0)

  read(chunk: Buffer): Frame[] {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const frames: Frame[] = []
    for (;;) {
      const end = data.indexOf(CRLF)
      if (end === -1) break
      const words = data.toString('latin1', 0, end).split(/\s+/)
      const verb = words[0]!.toUpperCase()
      const carries = PAYLOADS.has(verb)
      const size = end + 2 + (carries ? Number(words.at(-1)) + 2 : 0)
      if (data.length < size) break
      const bytes = Buffer.from(data.subarray(0, size))
      frames.push({ verb, subject: carries ? words[1]! : '', reply: carries ? replyOf(verb, words) : '', bytes })
      data = data.subarray(size)
    }
    this.#rest = Buffer.from(data)
    return frames
  }
}

/**
 * `MSG subject sid [reply] size`, `HMSG subject sid [reply] headers size`, `PUB subject [reply] size`,
 * `HPUB subject [reply] headers size`.
 */
function replyOf(verb: string, words: readonly string[]): string {
  const bare = { MSG: 4, HMSG: 5, PUB: 3, HPUB: 4 }[verb]
  return words.length > (bare ?? 0) ? words[verb.endsWith('MSG') ? 3 : 2]! : ''
}

/** The same delivery as a broker that was not heard would make it again: its second, by the count in its reply subject. */
export function redelivery({ bytes, reply }: Frame): Buffer {
  const tokens = reply.split('.')
  // $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>
  if (tokens.length !== 9) return bytes
  tokens[4] = String(Number(tokens[4]) + 1)
  const end = bytes.indexOf(CRLF)
  const head = bytes.toString('latin1', 0, end).replace(reply, tokens.join('.'))
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes.subarray(end)])
}
