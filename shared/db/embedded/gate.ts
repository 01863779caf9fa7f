/**
 * Lets many `pg` connections share PGlite, which is one database session.
 *
 * What is here is the order in which connections are served. The socket server that PGlite ships serves single protocol
 * messages: as soon as a statement does not arrive in one piece (a parameter of a few hundred kilobytes is enough), another
 * connection's Parse gets between this one's Parse and Bind, and a value lands in the wrong statement. Here a *turn* is
 * what a connection sends up to Sync (or a simple query), run in one go; a connection that is in a transaction keeps the
 * session until the transaction ends.
 *
 * Owned: the turns in waiting, and which connection has the session. States of the session: *free* (owner null); *held*
 * (owner set: it is in a transaction, or its last turn ended in a Flush). Invariants:
 * - G1 Only the owner's turns run while the session is held.
 * - G2 A holder that says nothing for `idleInTransactionMs` is rolled back and disconnected, as a server would do it: a
 *   frozen process must not hold up a takeover (I1).
 * - G3 A prepared statement has the connection's number before its name, so that two connections can use the same name;
 *   a connection's statements are closed with it.
 * - G4 When a connection goes, its transaction is rolled back before anybody else is served.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

import {
  ASK_PASSWORD,
  AnswerReader,
  CANCEL_REQUEST,
  ENDS_TURN,
  GSS_REQUEST,
  PROTOCOL_3,
  SSL_REQUEST,
  fatal,
  forgetStatements,
  frameAt,
  passwordIn,
  queryMessage,
  renameStatement,
} from './wire-frames.ts'

/** What the gate needs of PGlite. */
export interface Session {
  /** Runs protocol messages; the answer is handed over in pieces. */
  execProtocolRawStream(
    message: Uint8Array,
    options: { syncToFs?: boolean; onRawData: (bytes: Uint8Array) => void },
  ): Promise<void>
  isInTransaction(): boolean
}

export interface GateOptions {
  readonly session: Session
  readonly password: string
  readonly host: string
  readonly port: number
  /** A holder of a transaction that is silent for longer is rolled back and disconnected. */
  readonly idleInTransactionMs: number
}

/** More than this from one connection without the end of a turn is refused. */
const MAX_TURN_BYTES = 64 * 1024 * 1024
const MAX_CONNECTIONS = 500
const HANG_UP_MS = 100

export class Gate {
  readonly #options: GateOptions
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  readonly #waiting: Turn[] = []
  #owner: Connection | null = null
  #running = false
  #idle: NodeJS.Timeout | undefined
  #numbers = 0

  constructor(options: GateOptions) {
    this.#options = options
    this.#server = createServer((socket) => this.#accept(socket))
    this.#server.maxConnections = MAX_CONNECTIONS
  }

  async listen(): Promise<AddressInfo> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, resolve)
    })
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new TypeError('the gate has no port')
    return address
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle)
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    for (const connection of this.#connections) connection.socket.destroy()
    await closed
  }

  #accept(socket: Socket): void {
    this.#numbers += 1
    const connection = new Connection(socket, this.#numbers, (bytes) => this.#passes(bytes))
    this.#connections.add(connection)
    connection.onTurn = (bytes) => {
      this.#waiting.push({ connection, bytes })
      void this.#run()
    }
    connection.onGone = () => {
      this.#connections.delete(connection)
      this.#waiting.push({ connection, bytes: null })
      void this.#run()
    }
  }

  #passes(password: string): boolean {
    const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
    return timingSafeEqual(digest(password), digest(this.#options.password))
  }

  /** Serves turns until none may run. There is one loop at a time; nothing in it throws. */
  async #run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    for (let turn = this.#next(); turn !== undefined; turn = this.#next()) {
      clearTimeout(this.#idle)
      const { connection, bytes } = turn
      try {
        if (bytes === null) await this.#cleanUp(connection)
        else if (!connection.gone) await this.#serve(connection, bytes)
      } catch (error) {
        connection.refuse('XX000', error instanceof Error ? error.message : 'the session failed')
      }
      this.#owner = this.#holds(connection) ? connection : null
    }
    this.#running = false
    this.#watchHolder()
  }

  #next(): Turn | undefined {
    if (this.#owner === null) return this.#waiting.shift()
    const index = this.#waiting.findIndex((turn) => turn.connection === this.#owner)
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0]
  }

  #holds(connection: Connection): boolean {
    if (connection.gone && !this.#waiting.some((turn) => turn.connection === connection)) return false
    return this.#options.session.isInTransaction() || connection.midway
  }

  async #serve(connection: Connection, bytes: Buffer): Promise<void> {
    const answer = new AnswerReader()
    await this.#options.session.execProtocolRawStream(bytes, {
      onRawData: (piece) => {
        const copy = Buffer.from(piece) // PGlite reuses its buffer for the next piece
        answer.read(copy)
        connection.send(copy)
      },
    })
    connection.midway = !answer.ready
  }

  async #cleanUp(connection: Connection): Promise<void> {
    const quiet = { onRawData: () => {} }
    if (this.#owner === connection) await this.#options.session.execProtocolRawStream(queryMessage('ROLLBACK'), quiet)
    if (connection.statements.size === 0) return
    await this.#options.session.execProtocolRawStream(forgetStatements(connection.statements), quiet)
  }

  #watchHolder(): void {
    const holder = this.#owner
    clearTimeout(this.#idle)
    if (holder === null) return
    this.#idle = setTimeout(() => {
      if (this.#owner !== holder) return
      holder.refuse('25P03', 'terminating connection due to idle-in-transaction timeout')
    }, this.#options.idleInTransactionMs)
    this.#idle.unref()
  }
}

/** `bytes` null: the connection is gone, what it left behind is put away. */
interface Turn {
  readonly connection: Connection
  readonly bytes: Buffer | null
}

class Connection {
  readonly socket: Socket
  readonly statements = new Set<string>()
  onTurn: (bytes: Buffer) => void = () => {}
  onGone: () => void = () => {}
  gone = false
  /** The last turn did not end in ReadyForQuery (a Flush): the session is not free although no transaction is open. */
  midway = false
  readonly #prefix: string
  readonly #passes: (password: string) => boolean
  #stage: 'startup' | 'password' | 'ready' = 'startup'
  #startup: Buffer | null = null
  #received: Buffer = Buffer.alloc(0)
  #turn: Buffer[] = []
  #turnBytes = 0

  constructor(socket: Socket, number: number, passes: (password: string) => boolean) {
    this.socket = socket
    this.#prefix = `c${number}_`
    this.#passes = passes
    socket.setNoDelay(true)
    socket.on('data', (bytes) => this.#receive(bytes))
    socket.on('error', () => {})
    socket.on('close', () => {
      if (this.gone) return
      this.gone = true
      this.onGone()
    })
  }

  send(bytes: Buffer): void {
    if (this.socket.writable) this.socket.write(bytes)
  }

  /** Says why and hangs up. Not gracefully for long: a peer that does not read would keep the session. */
  refuse(sqlState: string, text: string): void {
    if (this.socket.writable) this.socket.end(fatal(sqlState, text))
    this.socket.destroySoon()
    setTimeout(() => this.socket.destroy(), HANG_UP_MS).unref()
  }

  #receive(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes])
    try {
      if (this.#stage === 'startup') this.#start()
      if (this.#stage !== 'startup') this.#readFrames()
    } catch (error) {
      this.refuse('08P01', error instanceof Error ? error.message : 'protocol violation')
    }
    if (this.#received.length + this.#turnBytes > MAX_TURN_BYTES) this.refuse('54000', 'the statement is too large')
  }

  #start(): void {
    while (this.#received.length >= 8) {
      const length = this.#received.readInt32BE(0)
      if (length < 8 || length > 10_000) throw new RangeError('not a startup message')
      if (this.#received.length < length) return
      const code = this.#received.readInt32BE(4)
      const startup = Buffer.from(this.#received.subarray(0, length))
      this.#received = this.#received.subarray(length)
      if (code === SSL_REQUEST || code === GSS_REQUEST) {
        this.send(Buffer.from('N'))
        continue
      }
      if (code === CANCEL_REQUEST) {
        // A statement cannot be interrupted: the session runs on the thread that would hear of it.
        this.socket.destroy()
        return
      }
      if (code !== PROTOCOL_3) throw new RangeError('an unknown protocol version')
      this.#startup = startup
      this.#stage = 'password'
      this.send(ASK_PASSWORD)
      return
    }
  }

  #readFrames(): void {
    let offset = 0
    for (let frame = frameAt(this.#received, 0); frame !== null; frame = frameAt(this.#received, offset)) {
      offset += frame.bytes.length
      if (this.#stage === 'password') {
        const password = passwordIn(frame)
        if (password === null || !this.#passes(password) || this.#startup === null) {
          this.refuse('28P01', 'password authentication failed')
          return
        }
        this.#stage = 'ready'
        this.onTurn(this.#startup)
        continue
      }
      if (frame.type === TERMINATE) {
        this.socket.end()
        break
      }
      const renamed = renameStatement(frame, this.#prefix, (name) => this.statements.add(name))
      this.#turn.push(renamed)
      this.#turnBytes += renamed.length
      if (!ENDS_TURN.has(frame.type)) continue
      const turn = Buffer.concat(this.#turn)
      this.#turn = []
      this.#turnBytes = 0
      this.onTurn(turn)
    }
    this.#received = this.#received.subarray(offset)
  }
}

const TERMINATE = 'X'
