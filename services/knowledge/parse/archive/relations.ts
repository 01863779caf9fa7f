import { dirname, posix } from 'node:path'

import type { Archive } from './open-archive.ts'
import { readXml } from './read-xml.ts'

export interface Relation {
  readonly id: string
  /** Last part of the type's address: slide, worksheet, notesSlide. */
  readonly type: string
  /** Name of an entry of the archive. */
  readonly target: string
}

/** What a part of an Office document refers to inside the archive; what is outside of it is left out. */
export function relationsOf(archive: Archive, part: string): Relation[] {
  const bytes = archive.get(posix.join(dirname(part), '_rels', `${posix.basename(part)}.rels`))
  if (bytes === undefined) return []
  const found: Relation[] = []
  readXml(bytes, {
    open({ name, attributes }) {
      if (name !== 'Relationship' || attributes['TargetMode'] === 'External') return
      const target = attributes['Target'] ?? ''
      found.push({
        id: attributes['Id'] ?? '',
        type: (attributes['Type'] ?? '').split('/').at(-1) ?? '',
        target: target.startsWith('/') ? target.slice(1) : posix.join(dirname(part), target),
      })
    },
  })
  return found
}
