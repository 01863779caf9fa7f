/** An open loop: `send` is called so often a second however long what it begins may take; until `count`, or told to stop. */
import { setTimeout as delay } from 'node:timers/promises'

export async function pace(
  perSecond: number,
  count: number,
  send: (index: number) => void,
  stopped: () => boolean = () => false,
): Promise<void> {
  const started = performance.now()
  for (let sent = 0; sent < count && !stopped();) {
    const due = Math.min(count, 1 + Math.floor(((performance.now() - started) * perSecond) / 1_000))
    while (sent < due) send(sent++)
    await delay(1)
  }
}

/** Milliseconds on the clock that all processes of a machine share. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
