/** Resident memory of this process once what can be collected was (--expose-gc): the least of a few looks. */
export async function residentBytes(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void }
  if (gc === undefined) throw new Error('start it with --expose-gc')
  let least = Infinity
  for (let look = 0; look < LOOKS; look++) {
    gc()
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    least = Math.min(least, process.memoryUsage.rss())
  }
  return least
}

const LOOKS = 5
const LOOK_MS = 200
