import { Store } from '#gateway/client/store.ts'
import { placeIn } from './place.ts'
import type { Place } from './place.ts'

/** Where the reader is now. The address is the truth; this follows it. */
export const place = new Store<Place>(placeIn(location.hash), (flush) => flush())

/** The address was changed. */
export function readPlace(): void {
  place.set(placeIn(location.hash))
}

export function goTo(hash: string): void {
  history.pushState(null, '', hash)
  readPlace()
}
