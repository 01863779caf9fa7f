import type { Two } from './two.ts'

export interface Three {
  readonly two: Two
}
