import type { LocalDate, LocalTime } from './date.ts'
import type { Unit } from './unit.ts'

/**
 * Something a message says, with the place where it says it: what a slot may be filled with. Recognisers overlap on
 * purpose (the year of a date is a number too); the slot decides what it can use.
 */
export type Fact = NumberFact | DateFact | TimeFact | TextFact

interface Placed {
  readonly start: number
  readonly end: number
  /** As written. */
  readonly text: string
}

export interface NumberFact extends Placed {
  readonly kind: 'number'
  readonly value: number
  readonly unit: Unit | null
  /** ISO code when an amount of money. */
  readonly currency: string | null
  /** Inside a formula, a code, a date, a time, or only implied by a span of time: hardly meant as a number. */
  readonly part: 'formula' | 'code' | 'date' | 'time' | 'span' | null
  /** Written `name = value`. */
  readonly label: string | null
  /** Where its unit or currency ends. */
  readonly extent: number
}

export interface DateFact extends Placed {
  readonly kind: 'date'
  readonly date: LocalDate
}

export interface TimeFact extends Placed {
  readonly kind: 'time'
  readonly time: LocalTime
}

export interface TextFact extends Placed {
  readonly kind:
    | 'quoted'
    | 'name'
    | 'extended'
    | 'end'
    | 'pair'
    | 'formula'
    | 'address'
    | 'phrase'
    | 'tail'
    | 'code'
    | 'email'
    | 'url'
    | 'phone'
  /** For a name with parts (`Paris, France`): the parts. */
  readonly parts?: readonly string[]
}
