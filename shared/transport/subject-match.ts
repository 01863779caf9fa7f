/**
 * Broker subjects as patterns: `*` is one token, a final `>` one or more. Both adapters filter with this, so that a
 * filter means the same thing wherever it is applied.
 */
export function subjectMatches(filter: string, subject: string): boolean {
  if (filter === subject) return true
  const wanted = filter.split('.')
  const tokens = subject.split('.')
  for (let index = 0; index < wanted.length; index++) {
    if (wanted[index] === '>') return tokens.length > index
    if (index >= tokens.length) return false
    if (wanted[index] !== '*' && wanted[index] !== tokens[index]) return false
  }
  return wanted.length === tokens.length
}

/** Whether some subject matches both: what a work queue refuses of two consumers. */
export function filtersOverlap(left: string, right: string): boolean {
  const a = left.split('.')
  const b = right.split('.')
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [x, y] = [a[index], b[index]]
    if (x === undefined || y === undefined) return false
    if (x === '>' || y === '>') return true
    if (x !== '*' && y !== '*' && x !== y) return false
  }
  return true
}

export function isLiteral(subject: string): boolean {
  return !subject.split('.').some((token) => token === '*' || token === '>')
}
