export function noExplicitAny(value: any): unknown {
  return value
}
