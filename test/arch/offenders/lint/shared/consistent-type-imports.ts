import { Two } from './no-cycle.ts'

export function consistentTypeImports(two: Two): Two {
  return two
}
