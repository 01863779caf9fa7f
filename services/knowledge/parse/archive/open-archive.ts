import { unzipSync } from 'fflate'

import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'

import type { ParseLimits } from '../limits.ts'

/** Small archives may compress well without harm. */
const RATIO_FROM_BYTES = 8 * 1_048_576

export type Archive = ReadonlyMap<string, Uint8Array>

/**
 * Entries of a zip whose names `wanted` takes. What the directory declares is checked before anything is inflated, and no
 * entry is inflated beyond what was declared for it, so a directory that lies gains nothing.
 */
export function openArchive(bytes: Uint8Array, limits: ParseLimits, wanted: (name: string) => boolean): Archive {
  let entries = 0
  let inflated = 0
  const refused = (reason: string): WaggleError => new WaggleError('DOCUMENT_TOO_LARGE', { reason })
  try {
    // Counted for all entries, wanted or not, before the first is inflated: a first pass that takes none.
    unzipSync(bytes, {
      filter: ({ originalSize }) => {
        entries += 1
        inflated += originalSize
        if (entries > limits.archiveEntries)
          throw refused(`Its archive has more than ${limits.archiveEntries} entries.`)
        if (inflated > limits.archiveBytes) throw refused('Its archive is too large when unpacked.')
        return false
      },
    })
    if (inflated > RATIO_FROM_BYTES && inflated > limits.archiveRatio * bytes.length) {
      throw refused(`Its archive unpacks to more than ${limits.archiveRatio} times its size.`)
    }
    return new Map(Object.entries(unzipSync(bytes, { filter: ({ name }) => wanted(name) })))
  } catch (thrown) {
    if (thrown instanceof WaggleError) throw thrown
    throw new WaggleError('DOCUMENT_UNREADABLE', { page: 0, reason: coerceError(thrown).message }, { cause: thrown })
  }
}
