import { useSyncExternalStore } from 'react'
import type { Subscribable } from '#gateway/client/store.ts'

export function useStore<Value>(store: Subscribable<Value>): Value {
  return useSyncExternalStore(store.subscribe, store.getSnapshot)
}

/** Renders again only when the selected part is another value; `select` must give the same value for the same state. */
export function useSelected<Value, Part>(store: Subscribable<Value>, select: (value: Value) => Part): Part {
  return useSyncExternalStore(store.subscribe, () => select(store.getSnapshot()))
}
