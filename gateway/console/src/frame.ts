import type { Schedule } from '#gateway/client/store.ts'

/** A hidden page gets no frames; it folds what comes at this pace, so that it is up to date when it is looked at. */
const HIDDEN_FLUSH_MS = 1000

/** Watchers of a store hear of changes once per animation frame. */
export const onFrame: Schedule = (flush) => {
  if (document.hidden) setTimeout(flush, HIDDEN_FLUSH_MS)
  else requestAnimationFrame(flush)
}
