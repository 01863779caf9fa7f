import { readFile, readdir } from 'node:fs/promises'

/** Of one clock tick of the kernel in /proc; 100 a second on every Linux that Node runs on. */
const TICK_MS = 10

interface Times {
  readonly parent: number
  readonly ownMs: number
  /** Of children that have ended and were waited for. */
  readonly endedMs: number
}

/** CPU time that a process has used so far, user and system, in milliseconds; null where there is no /proc. */
export async function cpuMs(pid: number): Promise<number | null> {
  return (await timesOf(pid))?.ownMs ?? null
}

/** The same of a process and its children, those that have ended included: PostgreSQL has one for each connection. */
export async function cpuMsOfTree(pid: number): Promise<number | null> {
  const root = await timesOf(pid)
  if (root === null) return null
  let sum = root.ownMs + root.endedMs
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const times = await timesOf(Number(name))
    if (times?.parent === pid) sum += times.ownMs + times.endedMs
  }
  return sum
}

async function timesOf(pid: number): Promise<Times | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (text === null) return null
  // The name in parentheses may hold blanks and parentheses of its own.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = (index: number): number => Number(fields[index] ?? 0)
  return { parent: ticks(1), ownMs: (ticks(11) + ticks(12)) * TICK_MS, endedMs: (ticks(13) + ticks(14)) * TICK_MS }
}
