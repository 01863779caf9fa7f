import type { Subscribable } from '#gateway/client/store.ts'

/** Resolves with the first published value that fits; the deadline of the test bounds the wait. */
export function until<Value>(store: Subscribable<Value>, fits: (value: Value) => boolean): Promise<Value> {
  return new Promise((resolve) => {
    const look = (): void => {
      const value = store.getSnapshot()
      if (!fits(value)) return
      unsubscribe()
      resolve(value)
    }
    const unsubscribe = store.subscribe(look)
    look()
  })
}
