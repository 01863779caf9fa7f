import { CATALOGUE } from '#shared/errors/catalogue.ts'
import { errorFromWire, publicError } from '#shared/errors/waggle-error.ts'
import type { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Failure } from './event-map.ts'

/** An error as it is kept of a child that ended. */
interface Told {
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Why a child failed, for operators. */
export function failureOf(told: Told): Failure {
  const { code } = errorOf(told)
  return { code, message: CATALOGUE[code].message, action: CATALOGUE[code].action }
}

/** The same for the customer, who is not told what only operators may read. */
export function publicFailureOf(told: Told): Failure {
  const { code, message, action } = publicError(errorOf(told))
  return { code, message, action }
}

/** Of a child that was given up: what it failed of the last time. */
function errorOf({ code, details }: Told): WaggleError {
  const last = code === 'GAVE_UP' && typeof details['last'] === 'string' ? details['last'] : code
  return errorFromWire({ code: last as WaggleError['code'], details, expected: false })
}
