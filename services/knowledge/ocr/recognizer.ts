/**
 * Text in pictures, by Tesseract compiled to WebAssembly, each in a thread of its own. Threads start when they are needed,
 * one for each core at most, are shared by all tenants of the process, and end when nothing was to do for IDLE_MS. Language
 * data are files of an installed package: nothing is fetched, and nothing is written.
 *
 * A thread is `free`, or has one picture; one whose picture failed, was cancelled or took too long is ended, not reused.
 */
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'

import { createWorker } from 'tesseract.js'
import type { Worker as Tesseract } from 'tesseract.js'

import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'

import { Slots } from '../slots.ts'

export interface RecognizedWord {
  readonly text: string
  /** 0 to 100. */
  readonly confidence: number
  /** Pixels from the top left. */
  readonly x0: number
  readonly y0: number
  readonly x1: number
  readonly y1: number
}

export interface RecognizedLine {
  readonly words: readonly RecognizedWord[]
  readonly baseline: number
  /** Of its row, ascenders and descenders included. */
  readonly height: number
}

export interface Recognizer {
  /** Lines in the order Tesseract reads them. */
  recognize(picture: Uint8Array, signal: AbortSignal): Promise<RecognizedLine[]>
  close(): Promise<void>
}

export interface RecognizerOptions {
  readonly threads?: number
  readonly idleMs?: number
  readonly pictureMs?: number
}

const LANGUAGE = 'eng'
/** Integer weights of the LSTM alone: the smallest and fastest of the package, made from its best. */
const DATA = '4.0.0_best_int'
const LSTM_ONLY = 1
const IDLE_MS = 30_000
const PICTURE_MS = 120_000
/** Finds columns and tables itself. */
const FULLY_AUTOMATIC = '3'

export function openRecognizer(options: RecognizerOptions = {}): Recognizer {
  return new TesseractPool(options)
}

interface Thread {
  readonly tesseract: Tesseract
  /** Rejects when the thread dies by itself. */
  readonly died: Promise<never>
  end(): Promise<void>
}

class TesseractPool implements Recognizer {
  readonly #slots: Slots
  readonly #pictureMs: number
  readonly #free: Thread[] = []
  readonly #open = new Set<Thread>()

  constructor({ threads = availableParallelism(), idleMs = IDLE_MS, pictureMs = PICTURE_MS }: RecognizerOptions) {
    this.#slots = new Slots(Math.max(1, threads), { afterMs: idleMs, end: () => this.#endFree() })
    this.#pictureMs = pictureMs
  }

  recognize(picture: Uint8Array, signal: AbortSignal): Promise<RecognizedLine[]> {
    return this.#slots.use(signal, async () => {
      const thread = this.#free.pop() ?? (await this.#start())
      try {
        const lines = await this.#read(thread, picture, signal)
        this.#free.push(thread)
        return lines
      } catch (thrown) {
        await this.#end(thread)
        throw thrown
      }
    })
  }

  async close(): Promise<void> {
    this.#slots.close()
    await Promise.all([...this.#open].map((thread) => this.#end(thread)))
  }

  async #start(): Promise<Thread> {
    const home = dirname(createRequire(import.meta.url).resolve('@tesseract.js-data/eng/package.json'))
    const tesseract = await createWorker(LANGUAGE, LSTM_ONLY, {
      langPath: join(home, DATA),
      gzip: true,
      cacheMethod: 'none',
      // Without it a failed job is thrown where nobody can catch it.
      errorHandler: () => undefined,
    })
    await tesseract.setParameters({
      tessedit_pageseg_mode: FULLY_AUTOMATIC as never,
      user_defined_dpi: '300',
      debug_file: '/dev/null',
    } as never)
    const inner = (tesseract as unknown as { readonly worker: InnerThread }).worker
    const died = new Promise<never>((_, reject) => {
      inner.on('error', (error) => reject(coerceError(error)))
      inner.on('exit', () => reject(new Error('The thread ended.')))
    })
    died.catch(() => undefined) // its end is heard by who waits for a picture, if anybody does
    const thread: Thread = { tesseract, died, end: async () => void (await inner.terminate()) }
    this.#open.add(thread)
    return thread
  }

  async #read(thread: Thread, picture: Uint8Array, signal: AbortSignal): Promise<RecognizedLine[]> {
    let stop = (): void => undefined
    const stopped = new Promise<never>((_, reject) => {
      const late = setTimeout(() => {
        reject(new WaggleError('DOCUMENT_TOO_SLOW', { reason: 'Its text could not be recognised in time.' }))
      }, this.#pictureMs)
      const onAbort = (): void => reject(new WaggleError('CANCELLED'))
      signal.addEventListener('abort', onAbort, { once: true })
      stop = () => {
        clearTimeout(late)
        signal.removeEventListener('abort', onAbort)
      }
    })
    try {
      const job = thread.tesseract.recognize(Buffer.from(picture), { rotateAuto: true }, { blocks: true, text: false })
      const { data } = await Promise.race([job, thread.died, stopped])
      return (data.blocks ?? [])
        .flatMap((block) => block.paragraphs)
        .flatMap((paragraph) => paragraph.lines)
        .map((line) => ({
          baseline: (line.baseline.y0 + line.baseline.y1) / 2,
          height: line.rowAttributes.rowHeight,
          words: line.words.map(({ text, confidence, bbox }) => ({ text, confidence, ...bbox })),
        }))
    } catch (thrown) {
      if (thrown instanceof WaggleError) throw thrown
      const reason = `Its text could not be recognised: ${coerceError(thrown).message}`
      throw new WaggleError('DOCUMENT_UNREADABLE', { reason }, { cause: thrown })
    } finally {
      stop()
    }
  }

  async #endFree(): Promise<void> {
    await Promise.all(this.#free.splice(0).map((thread) => this.#end(thread)))
  }

  async #end(thread: Thread): Promise<void> {
    this.#open.delete(thread)
    const at = this.#free.indexOf(thread)
    if (at >= 0) this.#free.splice(at, 1)
    await thread.end()
  }
}

interface InnerThread {
  on(event: 'error' | 'exit', listener: (value: unknown) => void): void
  terminate(): Promise<number>
}
