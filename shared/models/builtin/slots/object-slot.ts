import type { Filling } from './filling.ts'

const PAIR =
  /(?:'([^'\n]{1,40})'|"([^"\n]{1,40})"|(?<![\p{L}\p{N}])([\p{L}_][\p{L}\p{N}_]{0,40}))\s*[:=]\s*(?:'([^'\n]{1,200})'|"([^"\n]{1,200})"|([^\s,;'"{}:=]{1,200})(?=[\s,;}]|$))/gu

/** An object without declared fields takes the `key: value` pairs of the message. */
export function fillFreeObjects(filling: Filling): void {
  const { reading, leaves } = filling
  for (const leaf of leaves) {
    if (leaf.slot.type !== 'object' || filling.has(leaf)) continue
    const pairs = [...reading.text.matchAll(PAIR)].map((match): [string, unknown] => {
      const [, single, double, word, quoted, alsoQuoted, bare] = match
      const value =
        bare !== undefined && /^-?\d+(?:\.\d+)?$/.test(bare) ? Number(bare) : (quoted ?? alsoQuoted ?? bare ?? '')
      return [single ?? double ?? word ?? '', value]
    })
    if (pairs.length > 0) filling.take(leaf, Object.fromEntries(pairs))
  }
}
