/**
 * Documents to pages, each in a thread with limits of memory and time, so that a hostile one costs an error and not the
 * process. Threads are shared by all tenants of the process, `threads` of them at most; who comes when all are busy waits
 * in order (fairness between tenants is the caller's).
 *
 * A thread is `free`, or reads one document. After a document that failed, was cancelled or exceeded a limit it is ended and
 * not used again; one that is free for IDLE_MS is ended too. Pictures of text go from the thread to the recogniser and back:
 * the thread waits meanwhile, and its time does not run.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

import { WaggleError, coded, coerceError, errorFromWire, errorToWire } from '#shared/errors/waggle-error.ts'

import { openRecognizer } from '../ocr/recognizer.ts'
import type { Recognizer } from '../ocr/recognizer.ts'
import type { ParsedPage } from './parsed-page.ts'
import type { ParseInput, ParseOutcome, ParsePorts } from './parse-ports.ts'
import type { ReaderInput } from './reader.ts'
import { Slots } from './slots.ts'
import { sniff } from './sniff.ts'
import { PAGES_AHEAD } from './thread-messages.ts'
import type { FromThread, ToThread } from './thread-messages.ts'
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
  readonly threads?: number
  readonly idleMs?: number
  /** Closed with the parser, also when given. */
  readonly recognizer?: Recognizer
  /** Command, looked for on the PATH by default. */
  readonly ffmpeg?: string
}

const IDLE_MS = 30_000
const MAX_THREADS = 4
const YOUNG_GENERATION_MB = 64
const STACK_MB = 4

export function openParser(options: ParserOptions = {}): Parser {
  return new ThreadPool(options)
}

class ThreadPool implements Parser {
  readonly #slots: Slots
  readonly #idleMs: number
  readonly #recognizer: Recognizer
  readonly #ffmpeg: string
  readonly #free: { readonly worker: Worker; readonly memoryMb: number }[] = []
  readonly #open = new Set<Worker>()
  #idle: NodeJS.Timeout | undefined

  constructor({ threads, idleMs = IDLE_MS, recognizer = openRecognizer(), ffmpeg = 'ffmpeg' }: ParserOptions) {
    // One core is left to who answers meanwhile.
    this.#slots = new Slots(threads ?? Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1)))
    this.#idleMs = idleMs
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
    const release = await this.#slots.take(signal)
    clearTimeout(this.#idle)
    try {
      if (type === 'video') return await readVideo(order, ports, { ffmpeg: this.#ffmpeg, recognizer: this.#recognizer })
      return await this.#read(order, ports)
    } finally {
      release()
      if (this.#slots.taken === 0) {
        this.#idle = setTimeout(() => void this.#endFree(), this.#idleMs)
        this.#idle.unref()
      }
    }
  }

  async close(): Promise<void> {
    this.#slots.close()
    clearTimeout(this.#idle)
    await Promise.all([...this.#open].map((worker) => this.#end(worker)))
    await this.#recognizer.close()
  }

  async #read(input: ReaderInput, ports: ParsePorts): Promise<ParseOutcome> {
    const { memoryMb } = input.limits
    const worker = this.#take(memoryMb)
    try {
      const outcome = await new Reading(worker, input, ports, this.#recognizer).outcome()
      this.#free.push({ worker, memoryMb })
      return outcome
    } catch (thrown) {
      await this.#end(worker)
      throw thrown
    }
  }

  #take(memoryMb: number): Worker {
    const at = this.#free.findIndex((free) => free.memoryMb === memoryMb)
    const [free] = at < 0 ? [] : this.#free.splice(at, 1)
    if (free !== undefined) return free.worker
    const worker = new Worker(new URL('./parse-thread.ts', import.meta.url), {
      name: 'parse',
      resourceLimits: {
        maxOldGenerationSizeMb: memoryMb,
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
        stackSizeMb: STACK_MB,
      },
    })
    this.#open.add(worker)
    worker.once('exit', () => {
      this.#open.delete(worker)
      const index = this.#free.findIndex((free) => free.worker === worker)
      if (index >= 0) this.#free.splice(index, 1)
    })
    return worker
  }

  async #endFree(): Promise<void> {
    await Promise.all(this.#free.splice(0).map(({ worker }) => this.#end(worker)))
  }

  async #end(worker: Worker): Promise<void> {
    this.#open.delete(worker)
    await worker.terminate()
  }
}

/** One document in one thread, until it is done, fails, is cancelled or exceeds a limit. */
class Reading {
  readonly #worker: Worker
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

  constructor(worker: Worker, input: ReaderInput, ports: ParsePorts, recognizer: Recognizer) {
    this.#worker = worker
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
    const onMessage = (message: FromThread): void => this.#heard(message)
    const onError = (error: unknown): void => this.#settle.reject(this.#died(coerceError(error)))
    const onExit = (): void => this.#settle.reject(this.#died(new Error('Its thread ended.')))
    try {
      return await new Promise<ParseOutcome>((resolve, reject) => {
        this.#settle = { resolve, reject }
        this.#worker.on('message', onMessage).on('error', onError).on('exit', onExit)
        signal.addEventListener('abort', onAbort, { once: true })
        if (signal.aborted) return onAbort()
        this.#time.run()
        this.#say({ type: 'read', input: this.#input })
      })
    } finally {
      this.#time.pause()
      this.#stopped.abort()
      signal.removeEventListener('abort', onAbort)
      this.#worker.off('message', onMessage).off('exit', onExit)
      // An error that comes after the end has to be heard by somebody, or it ends the process.
      this.#worker.off('error', onError).on('error', ignored)
    }
  }

  #heard(message: FromThread): void {
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
    let answer: ToThread
    try {
      answer = { type: 'recognized', lines: await this.#recognizer.recognize(picture, signal) }
    } catch (thrown) {
      answer = { type: 'unrecognized', error: errorToWire(coded(thrown, 'DOCUMENT_UNREADABLE')) }
    }
    if (this.#stopped.signal.aborted) return
    this.#time.run()
    this.#say(answer)
  }

  #say(message: ToThread): void {
    this.#worker.postMessage(message)
  }

  #died(error: Error): WaggleError {
    const outOfMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    const details = { page: this.#page, reason: outOfMemory ? 'It takes too much memory.' : error.message }
    return new WaggleError(outOfMemory ? 'DOCUMENT_TOO_LARGE' : 'DOCUMENT_UNREADABLE', details, { cause: error })
  }
}

function ignored(): void {}
