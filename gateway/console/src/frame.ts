import type { Schedule } from '#gateway/client/store.ts'

/** A hidden page gets no frames; it folds what comes at this pace, so that it is up to date when it is looked at. */
const HIDDEN_FLUSH_MS = 1000

/** Watchers of a store hear of changes once per animation frame. */
export const onFrame: Schedule = (flush) => {
  if (document.hidden) setTimeout(flush, HIDDEN_FLUSH_MS)
  else requestAnimationFrame(flush)
}

/** The swarm is drawn this often: what a reader can follow, and a fraction of the work of each frame. */
export const SWARM_FLUSH_MS = 125

/** In the next frame, but not more often than every `ms`. */
export function paced(ms: number): Schedule {
  let last = 0
  return (flush) => {
    const wait = last + ms - performance.now()
    const draw = (): void => {
      last = performance.now()
      flush()
    }
    if (wait <= 0) onFrame(draw)
    else setTimeout(() => onFrame(draw), wait)
  }
}
