import { linkSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { WaggleError } from '#shared/errors/waggle-error.ts'

const SELF = 'stack'
const NOTE = '.json'
const LOOK_MS = 50
const PATIENCE_MS = 10_000

interface Note {
  readonly pid: number
  /** What its command line has: a pid may have been given to somebody else since. */
  readonly mark: string
}

/**
 * Which processes work on a state folder, by name, in a folder of it. One stack holds a state folder at a time; what a
 * killed one has left behind is ended by the next, since two brokers on one store would spoil it.
 */
export class ProcessNotes {
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = dir
  }

  /** Throws ALREADY_RUNNING while another stack holds the folder. Ends what is left of one that was killed. */
  async take(): Promise<void> {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 })
    while (!this.#hold()) {
      const holder = this.#read(SELF)
      if (holder !== null && runs(holder))
        throw new WaggleError('ALREADY_RUNNING', { reason: `It is process ${holder.pid}.`, pid: holder.pid })
      this.forget(SELF)
    }
    const left = readdirSync(this.#dir).filter((file) => file.endsWith(NOTE) && file !== `${SELF}${NOTE}`)
    await Promise.all(left.map((file) => this.#end(file.slice(0, -NOTE.length))))
  }

  give(): void {
    this.forget(SELF)
  }

  note(name: string, pid: number, mark: string): void {
    writeFileSync(this.#file(name), JSON.stringify({ pid, mark } satisfies Note))
  }

  forget(name: string): void {
    rmSync(this.#file(name), { force: true })
  }

  /** False when somebody holds it, or has held it. The note is there whole or not at all: of two at once one is first. */
  #hold(): boolean {
    const draft = join(this.#dir, `${SELF}.${process.pid}`)
    writeFileSync(draft, JSON.stringify({ pid: process.pid, mark: commandLineOf(process.pid) } satisfies Note))
    try {
      linkSync(draft, this.#file(SELF))
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    } finally {
      rmSync(draft)
    }
  }

  async #end(name: string): Promise<void> {
    const note = this.#read(name)
    if (note !== null && runs(note)) {
      send(note.pid, 'SIGTERM')
      const until = performance.now() + PATIENCE_MS
      while (runs(note) && performance.now() < until) await delay(LOOK_MS)
      if (runs(note)) send(note.pid, 'SIGKILL')
    }
    this.forget(name)
  }

  /** Null also for a note that was not written to its end. */
  #read(name: string): Note | null {
    try {
      return JSON.parse(readFileSync(this.#file(name), 'utf8')) as Note
    } catch {
      return null
    }
  }

  #file(name: string): string {
    return join(this.#dir, `${name}${NOTE}`)
  }
}

function runs({ pid, mark }: Note): boolean {
  return commandLineOf(pid).includes(mark)
}

/** It may end by itself meanwhile. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Empty when there is no such process. */
function commandLineOf(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    return execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}
