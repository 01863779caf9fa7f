import { WaggleError } from '#shared/errors/waggle-error.ts'

const KEY = /^[A-Za-z0-9_=/-]+(?:\.[A-Za-z0-9_=/-]+)*$/

/** Bucket keys are subject tokens, so that a broker can keep each under a subject of its own. Throws BAD_NAME. */
export function checkBucketKey(key: string): void {
  if (!KEY.test(key)) throw new WaggleError('BAD_NAME', { key: key.slice(0, 60), reason: 'Not a bucket key.' })
}
