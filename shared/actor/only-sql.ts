import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Clock } from '#shared/lib/clock.ts'

/**
 * Refuses a handler that awaits anything but SQL (I2). After the microtasks that can run have run, a handler that is
 * neither settled nor waiting for the database waits for the outside world: a timer, a socket, another actor. Two looks
 * in a row, because a driver may need one turn of the loop to hand an answer on.
 */
export function onlySql<Value>(
  work: () => Value | Promise<Value>,
  waitsForSql: () => boolean,
  clock: Clock,
): Value | Promise<Value> {
  const result = work()
  if (!(result instanceof Promise)) return result
  return new Promise<Value>((resolve, reject) => {
    let settled = false
    let looks = 0
    let cancel = clock.immediate(look)
    function look(): void {
      if (settled) return
      if (waitsForSql()) {
        looks = 0
        cancel = clock.setTimeout(look, LOOK_AGAIN_MS)
      } else if (++looks < 2) {
        cancel = clock.immediate(look)
      } else {
        settled = true
        reject(new WaggleError('AWAIT_IN_TRANSACTION'))
      }
    }
    result.then(
      (value) => {
        settled = true
        cancel()
        resolve(value)
      },
      (error: unknown) => {
        settled = true
        cancel()
        reject(error instanceof Error ? error : new Error(String(error)))
      },
    )
  })
}

const LOOK_AGAIN_MS = 2
