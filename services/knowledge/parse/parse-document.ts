/**
 * Documents to pages, each in a process with limits of memory and time, so that a hostile one costs an error and not the
 * service. Threads were tried: a thread whose heap overflows within one native step (parsing 15 MB of JSON, splitting a text
 * of line ends) takes the whole process with it, whatever its limit. Parsing processes are shared by all tenants,
 * `processes` of them at most; who comes when all are busy waits in order (fairness between tenants is the caller's). They
 * see no variable of the environment, yield to who answers meanwhile, and end with the process that started them.
 *
 * A process is `free`, or reads one document. After a document that failed, was cancelled or exceeded a limit it is ended and
 * not used again; one that is free for IDLE_MS is ended too. Pictures of text go from the process to the recogniser and
 * back: it waits meanwhile, and its time does not run.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { Socket } from 'node:net'
import { availableParallelism, setPriority } from 'node:os'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

import { WaggleError, coded, coerceError, errorFromWire, errorToWire } from '#shared/errors/waggle-error.ts'

import { openRecognizer } from '../ocr/recognizer.ts'
import type { Recognizer } from '../ocr/recognizer.ts'
import { Slots } from '../slots.ts'
import type { ParsedPage } from './parsed-page.ts'
import type { ParseInput, ParseOutcome, ParsePorts } from './parse-ports.ts'
import type { ReaderInput } from './reader.ts'
import { sniff } from './sniff.ts'
import { PAGES_AHEAD } from './process-messages.ts'
import type { FromProcess, ToProcess } from './process-messages.ts'
import { readVideo } from './video/read-video.ts'
import { WorkingTime } from './working-time.ts'

export interface Parser {
  /**
   * Fails with DOCUMENT_TYPE, DOCUMENT_TOO_LARGE, DOCUMENT_UNREADABLE, DOCUMENT_TOO_SLOW or MEDIA_TOOL_MISSING, whose
   * details hold `page` where one is known; with CANCELLED; or with what `onPage` threw.
   */
  parseDocument(input: ParseInput, ports: ParsePorts): Promise<ParseOutcome>
  close(): Promise<void>
}

export interface ParserOptions {
  readonly processes?: number
  readonly idleMs?: number
  /** Closed with the parser, also when given. */
  readonly recognizer?: Recognizer
  /** Command, looked for on the PATH by default. */
  readonly ffmpeg?: string
}

const IDLE_MS = 30_000
const MAX_PROCESSES = 4
/** About half of the share of who answers meanwhile. At 10, a busy machine reads next to nothing. */
const NICE = 3
const HEAP_FULL = /heap out of memory/
const PROGRAM = fileURLToPath(new URL('./parse-process.ts', import.meta.url))

export function openParser(options: ParserOptions = {}): Parser {
  return new ProcessPool(options)
}

class ProcessPool implements Parser {
  readonly #slots: Slots
  readonly #recognizer: Recognizer
  readonly #ffmpeg: string
  readonly #free: { readonly child: ChildProcess; readonly memoryMb: number }[] = []
  readonly #open = new Set<ChildProcess>()

  constructor({ processes, idleMs = IDLE_MS, recognizer = openRecognizer(), ffmpeg = 'ffmpeg' }: ParserOptions) {
    // One core is left to who answers meanwhile.
    const size = processes ?? Math.max(1, Math.min(MAX_PROCESSES, availableParallelism() - 1))
    this.#slots = new Slots(size, { afterMs: idleMs, end: () => this.#endFree() })
    this.#recognizer = recognizer
    this.#ffmpeg = ffmpeg
  }

  async parseDocument(input: ParseInput, ports: ParsePorts): Promise<ParseOutcome> {
    const { bytes, name, mime } = input
    const { signal, limits } = ports
    if (bytes.length > limits.bytes) {
      throw new WaggleError('DOCUMENT_TOO_LARGE', { reason: `It has ${bytes.length} bytes; ${limits.bytes} are read.` })
    }
    const type = sniff(bytes, name, mime)
    const order: ReaderInput = { bytes, type, name, from: Math.max(1, input.from ?? 1), limits }
    return await this.#slots.use(signal, () =>
      type === 'video'
        ? readVideo(order, ports, { ffmpeg: this.#ffmpeg, recognizer: this.#recognizer })
        : this.#read(order, ports),
    )
  }

  async close(): Promise<void> {
    this.#slots.close()
    await Promise.all([...this.#open].map((child) => this.#end(child)))
    await this.#recognizer.close()
  }

  async #read(input: ReaderInput, ports: ParsePorts): Promise<ParseOutcome> {
    const { memoryMb } = input.limits
    const child = this.#take(memoryMb)
    try {
      const outcome = await new Reading(child, input, ports, this.#recognizer).outcome()
      this.#free.push({ child, memoryMb })
      // While it is free it keeps nobody alive.
      child.unref()
      child.channel?.unref()
      holdPipe(child.stderr, false)
      return outcome
    } catch (thrown) {
      await this.#end(child)
      throw thrown
    }
  }

  #take(memoryMb: number): ChildProcess {
    const at = this.#free.findIndex((free) => free.memoryMb === memoryMb)
    const [free] = at < 0 ? [] : this.#free.splice(at, 1)
    if (free !== undefined) {
      free.child.ref()
      free.child.channel?.ref()
      holdPipe(free.child.stderr, true)
      return free.child
    }
    const child = fork(PROGRAM, {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [`--max-old-space-size=${memoryMb}`, '--disable-warning=ExperimentalWarning'],
      env: { PATH: process.env['PATH'] ?? '' },
    })
    yieldToOthers(child)
    this.#open.add(child)
    child.on('error', ignored)
    child.stderr?.resume()
    child.once('exit', () => {
      this.#open.delete(child)
      const index = this.#free.findIndex((other) => other.child === child)
      if (index >= 0) this.#free.splice(index, 1)
    })
    return child
  }

  async #endFree(): Promise<void> {
    await Promise.all(this.#free.splice(0).map(({ child }) => this.#end(child)))
  }

  async #end(child: ChildProcess): Promise<void> {
    this.#open.delete(child)
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.ref()
    child.kill('SIGKILL')
    await exited
  }
}

/** A pipe is a socket, which its type does not say. */
function holdPipe(stream: Readable | null, alive: boolean): void {
  if (stream instanceof Socket) stream[alive ? 'ref' : 'unref']()
}

function yieldToOthers(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    setPriority(child.pid, NICE)
  } catch {
    // It has ended already, which is heard elsewhere, or the system has no such thing.
  }
}

/** One document in one process, until it is done, fails, is cancelled or exceeds a limit. */
class Reading {
  readonly #child: ChildProcess
  readonly #input: ReaderInput
  readonly #ports: ParsePorts
  readonly #recognizer: Recognizer
  readonly #time: WorkingTime
  #settle: { readonly resolve: (outcome: ParseOutcome) => void; readonly reject: (error: Error) => void }
  #page = 0
  #untaken = 0
  /** Handing on of pages, one after the other. */
  #handing: Promise<void> = Promise.resolve()
  readonly #stopped = new AbortController()

  constructor(child: ChildProcess, input: ReaderInput, ports: ParsePorts, recognizer: Recognizer) {
    this.#child = child
    this.#input = input
    this.#ports = ports
    this.#recognizer = recognizer
    this.#settle = { resolve: () => undefined, reject: () => undefined }
    this.#time = new WorkingTime(input.limits.pageMs, input.limits.documentMs, (reason) => {
      this.#settle.reject(new WaggleError('DOCUMENT_TOO_SLOW', { page: this.#page, reason }))
    })
  }

  async outcome(): Promise<ParseOutcome> {
    const { signal } = this.#ports
    const onAbort = (): void => this.#settle.reject(new WaggleError('CANCELLED'))
    const onMessage = (message: FromProcess): void => this.#heard(message)
    const onError = (): void => this.#settle.reject(this.#died(false, null))
    let full = false
    const onWords = (words: Buffer): void => void (full ||= HEAP_FULL.test(words.toString()))
    const onExit = (_: number | null, by: NodeJS.Signals | null): void => this.#settle.reject(this.#died(full, by))
    try {
      return await new Promise<ParseOutcome>((resolve, reject) => {
        this.#settle = { resolve, reject }
        this.#child.on('message', onMessage).on('error', onError).on('close', onExit)
        this.#child.stderr?.on('data', onWords)
        signal.addEventListener('abort', onAbort, { once: true })
        if (signal.aborted) return onAbort()
        this.#time.run()
        this.#say({ type: 'read', input: this.#input })
      })
    } finally {
      this.#time.pause()
      this.#stopped.abort()
      signal.removeEventListener('abort', onAbort)
      this.#child.stderr?.off('data', onWords)
      this.#child.off('message', onMessage).off('close', onExit).off('error', onError)
    }
  }

  #heard(message: FromProcess): void {
    switch (message.type) {
      case 'ready':
        this.#time.run()
        break
      case 'began':
        this.#page = message.page
        this.#time.run()
        break
      case 'page':
        this.#untaken += 1
        if (this.#untaken < PAGES_AHEAD) this.#time.run()
        else this.#time.pause()
        this.#handing = this.#handing.then(() => this.#hand(message.page, message.of))
        break
      case 'recognize':
        this.#time.pause()
        void this.#recognize(message.picture)
        break
      case 'done':
        this.#time.pause()
        // After the last page was taken; what taking threw has been said already.
        void this.#handing.then(() => this.#settle.resolve(message.outcome))
        break
      case 'failed':
        this.#time.pause()
        void this.#handing.then(() => this.#settle.reject(errorFromWire(message.error)))
        break
    }
  }

  async #hand(page: ParsedPage, of: number | null): Promise<void> {
    if (this.#stopped.signal.aborted) return
    try {
      await this.#ports.onPage(page, of)
    } catch (thrown) {
      this.#settle.reject(coerceError(thrown))
      return
    }
    if (this.#stopped.signal.aborted) return
    this.#untaken -= 1
    if (this.#untaken === PAGES_AHEAD - 1) this.#time.run()
    this.#say({ type: 'taken' })
  }

  async #recognize(picture: Uint8Array): Promise<void> {
    const signal = AbortSignal.any([this.#ports.signal, this.#stopped.signal])
    let answer: ToProcess
    try {
      answer = { type: 'recognized', lines: await this.#recognizer.recognize(picture, signal) }
    } catch (thrown) {
      answer = { type: 'unrecognized', error: errorToWire(coded(thrown, 'DOCUMENT_UNREADABLE')) }
    }
    if (this.#stopped.signal.aborted) return
    this.#time.run()
    this.#say(answer)
  }

  #say(message: ToProcess): void {
    this.#child.send(message, ignored)
  }

  /** V8 aborts a process whose heap is full and says so; what aborts otherwise says else. */
  #died(full: boolean, by: NodeJS.Signals | null): WaggleError {
    const reason = full ? 'It takes too much memory.' : `Its process ended (${by ?? 'by itself'}).`
    return new WaggleError(full ? 'DOCUMENT_TOO_LARGE' : 'DOCUMENT_UNREADABLE', { page: this.#page, reason })
  }
}

function ignored(): void {}
