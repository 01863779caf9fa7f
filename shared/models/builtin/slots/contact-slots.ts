import type { Leaf } from './leaf.ts'
import type { Filling } from './filling.ts'

/** E-mail addresses, URLs and phone numbers, in the order they are given. */
export function fillContacts(filling: Filling): void {
  const { reading, leaves } = filling
  const kinds = { email: reading.emails, url: reading.urls, phone: reading.phones } as const
  for (const kind of ['email', 'url', 'phone'] as const) {
    const queue = [...kinds[kind]]
    for (const leaf of leaves) {
      if (leaf.slot.type !== 'string' || leaf.role !== kind || leaf.slot.choices !== null) continue
      const fact = queue.shift()
      if (fact === undefined) break
      filling.take(leaf, fact.text, fact)
    }
  }
}

/** `Maria Lopez` for a slot that wants the first name and one that wants the last. */
export function fillFullNames(filling: Filling): void {
  const { reading, leaves } = filling
  const named = (which: RegExp): Leaf | undefined =>
    leaves.find((leaf) => leaf.slot.type === 'string' && which.test(leaf.nameWords.join(' ')))
  const [first, last] = [named(/^(?:first|given) name$/), named(/^(?:last|family|sur) ?name$|^surname$/)]
  const whole = reading.names.find(
    (name) => name.parts === undefined && /^\p{Lu}[\p{L}.'’-]*(?:\s+[\p{L}.'’-]+){1,3}$/u.test(name.text),
  )
  if (first === undefined || last === undefined || whole === undefined) return
  const [given = '', ...family] = whole.text.split(/\s+/)
  filling.take(first, given)
  filling.take(last, family.join(' '), whole)
}
