/**
 * The little of PostgreSQL's wire protocol (version 3) that the gate must understand: where a message ends, which
 * messages end a turn, and the names of prepared statements. See "Message Formats" in PostgreSQL's documentation.
 */
export const PROTOCOL_3 = 196_608
export const SSL_REQUEST = 80_877_103
export const GSS_REQUEST = 80_877_104
export const CANCEL_REQUEST = 80_877_102

export interface Frame {
  /** The type byte as a character. */
  readonly type: string
  readonly bytes: Buffer
}

/** One typed message at `offset`, or null while it is incomplete. */
export function frameAt(buffer: Buffer, offset: number): Frame | null {
  if (buffer.length - offset < 5) return null
  const length = 1 + buffer.readInt32BE(offset + 1)
  if (length < 5) throw new RangeError(`a message claims ${length} bytes`)
  if (buffer.length - offset < length) return null
  return { type: String.fromCharCode(buffer[offset] ?? 0), bytes: buffer.subarray(offset, offset + length) }
}

/** After these the server has something to say: a turn can be run up to here. */
export const ENDS_TURN: ReadonlySet<string> = new Set(['S', 'Q', 'F', 'H', 'c', 'f'])

/**
 * Puts `prefix` before the name of a prepared statement in Parse, Bind, Describe and Close; other messages and unnamed
 * statements stay as they are. `seen` hears of each name that is parsed.
 */
export function renameStatement(frame: Frame, prefix: string, seen: (name: string) => void): Buffer {
  const { type, bytes } = frame
  switch (type) {
    case 'P': {
      const renamed = withPrefix(bytes, 5, prefix)
      if (renamed !== bytes) seen(textAt(renamed, 5))
      return renamed
    }
    case 'B':
      return withPrefix(bytes, endOfText(bytes, 5), prefix)
    case 'D':
    case 'C':
      return bytes[5] === STATEMENT ? withPrefix(bytes, 6, prefix) : bytes
    default:
      return bytes
  }
}

const STATEMENT = 'S'.charCodeAt(0)

function withPrefix(bytes: Buffer, at: number, prefix: string): Buffer {
  if (bytes[at] === 0) return bytes
  const added = Buffer.from(prefix)
  const renamed = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at)])
  renamed.writeInt32BE(renamed.length - 1, 1)
  return renamed
}

function textAt(bytes: Buffer, at: number): string {
  return bytes.toString('utf8', at, endOfText(bytes, at) - 1)
}

function endOfText(bytes: Buffer, at: number): number {
  const end = bytes.indexOf(0, at)
  if (end < 0) throw new RangeError('a text without an end')
  return end + 1
}

/** Follows an answer that comes in pieces, cut anywhere, to know whether its last message was ReadyForQuery. */
export class AnswerReader {
  readonly #head = Buffer.alloc(5)
  #headBytes = 0
  #bodyBytes = 0
  #ready = false

  get ready(): boolean {
    return this.#ready && this.#headBytes === 0
  }

  read(piece: Buffer): void {
    let at = 0
    while (at < piece.length) {
      if (this.#headBytes < 5) {
        const taken = piece.copy(this.#head, this.#headBytes, at, Math.min(piece.length, at + 5 - this.#headBytes))
        this.#headBytes += taken
        at += taken
        if (this.#headBytes < 5) return
        this.#bodyBytes = this.#head.readInt32BE(1) - 4
      }
      const taken = Math.min(this.#bodyBytes, piece.length - at)
      this.#bodyBytes -= taken
      at += taken
      if (this.#bodyBytes > 0) return
      this.#headBytes = 0
      this.#ready = this.#head[0] === READY_FOR_QUERY
    }
  }
}

const READY_FOR_QUERY = 'Z'.charCodeAt(0)

export function queryMessage(sql: string): Buffer {
  return message('Q', Buffer.from(`${sql}\0`))
}

/** Close of a prepared statement, followed by Sync. */
export function forgetStatements(names: Iterable<string>): Buffer {
  const parts: Buffer[] = []
  for (const name of names) parts.push(message('C', Buffer.from(`S${name}\0`)))
  return Buffer.concat([...parts, message('S', Buffer.alloc(0))])
}

export const ASK_PASSWORD = message('R', Buffer.from([0, 0, 0, 3]))

export function passwordIn(frame: Frame): string | null {
  return frame.type === 'p' ? textAt(frame.bytes, 5) : null
}

/** A FATAL error as the server would say it before it hangs up. */
export function fatal(sqlState: string, text: string): Buffer {
  return message('E', Buffer.from(`SFATAL\0VFATAL\0C${sqlState}\0M${text}\0\0`))
}

function message(type: string, body: Buffer): Buffer {
  const bytes = Buffer.alloc(5 + body.length)
  bytes.write(type, 0)
  bytes.writeInt32BE(4 + body.length, 1)
  body.copy(bytes, 5)
  return bytes
}
